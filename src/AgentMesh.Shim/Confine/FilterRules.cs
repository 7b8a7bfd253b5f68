using System.Runtime.InteropServices;

namespace AgentMesh.Shim.Confine;

/// <summary>Holds where (argument and mask) = value, or where it is not, by <paramref name="IsEqual"/>. Only the lower half of an argument counts: all that are looked at are of 32 bits for the kernel too.</summary>
internal readonly record struct FilterCondition(int Argument, uint Mask, uint Value, bool IsEqual = true);

/// <summary>A system call that fails with an errno where all conditions hold; without any, always.</summary>
internal sealed record FilterRule(int Number, int Errno, IReadOnlyList<FilterCondition> Conditions);

/// <summary>What gets around rules about files, and so is refused to a program that is locked in.</summary>
internal static class FilterRules
{
    private const int NotPermitted = 1, NoAccess = 13, NoSuchCall = 38, NotSupported = 95;
    private const uint Whole = uint.MaxValue;
    private const uint Unix = 1, Inet = 2, Inet6 = 10, Netlink = 16;
    private const uint Stream = 1, SequencedPackets = 5, TypeMask = 0xf;
    private const uint Create = 0x40, Truncate = 0x200, AccessMask = 3, TemporaryFile = 0x400000;

    /// <summary>Set-user-id and set-group-id.</summary>
    private const uint OtherIdentity = 0xc00;

    private const int None = -1;

    /// <summary>From here on the kernel tells truncating from reading.</summary>
    private const int AbiWithTruncate = 3;

    /// <exception cref="PlatformNotSupportedException">The numbers of this architecture are not known.</exception>
    public static IReadOnlyList<FilterRule> For(Architecture architecture, int abi)
    {
        if (architecture is not (Architecture.X64 or Architecture.Arm64))
        {
            throw new PlatformNotSupportedException(architecture.ToString());
        }

        IEnumerable<Entry> entries = abi >= AbiWithTruncate ? s_always : s_always.Concat(s_withoutTruncate);
        return [.. entries
            .Select(entry => new FilterRule(architecture == Architecture.X64 ? entry.X64 : entry.Arm64, entry.Errno, entry.Conditions))
            .Where(rule => rule.Number != None)];
    }

    private static readonly Entry[] s_always =
    [
        // Sockets with a path or a name: the node's own, D-Bus, container daemons, agents of keys. And those of a kind that nobody thought of.
        new(41, 198, NoAccess, [Not(0, Inet), Not(0, Inet6), Not(0, Netlink)]), // socket

        // Two that are connected stay, but not those without a connection: these could be turned to any other such socket with a path.
        new(53, 199, NoAccess, [Not(0, Unix)]), // socketpair
        new(53, 199, NoAccess, [new(1, TypeMask, Stream, IsEqual: false), new(1, TypeMask, SequencedPackets, IsEqual: false)]),

        // Rings make system calls that no filter sees. As where an administrator has switched them off.
        new(425, 425, NotPermitted, []), // io_uring_setup
        new(426, 426, NotPermitted, []), // io_uring_enter
        new(427, 427, NotPermitted, []), // io_uring_register

        // Limits of other processes of the user, such as the node.
        new(302, 261, NotPermitted, [Not(0, 0)]), // prlimit64

        // Keys of the user.
        new(248, 217, NotPermitted, []), // add_key
        new(249, 218, NotPermitted, []), // request_key
        new(250, 219, NotPermitted, []), // keyctl

        // Memory, messages and semaphores of the user's other programs, which have numbers and names instead of paths.
        new(29, 194, NotPermitted, []), // shmget
        new(30, 196, NotPermitted, []), // shmat
        new(31, 195, NotPermitted, []), // shmctl
        new(64, 190, NotPermitted, []), // semget
        new(65, 193, NotPermitted, []), // semop
        new(66, 191, NotPermitted, []), // semctl
        new(220, 192, NotPermitted, []), // semtimedop
        new(68, 186, NotPermitted, []), // msgget
        new(69, 189, NotPermitted, []), // msgsnd
        new(70, 188, NotPermitted, []), // msgrcv
        new(71, 187, NotPermitted, []), // msgctl
        new(240, 180, NotPermitted, []), // mq_open
        new(241, 181, NotPermitted, []), // mq_unlink

        // A program that has the identity of the node's user, for others to start.
        new(90, None, NotPermitted, [Has(1, OtherIdentity)]), // chmod
        new(91, 52, NotPermitted, [Has(1, OtherIdentity)]), // fchmod
        new(268, 53, NotPermitted, [Has(2, OtherIdentity)]), // fchmodat
        new(452, 452, NotPermitted, [Has(2, OtherIdentity)]), // fchmodat2
        new(85, None, NotPermitted, [Has(1, OtherIdentity)]), // creat
        new(133, None, NotPermitted, [Has(1, OtherIdentity)]), // mknod
        new(259, 33, NotPermitted, [Has(2, OtherIdentity)]), // mknodat
        new(2, None, NotPermitted, [Has(1, Create), Has(2, OtherIdentity)]), // open
        new(2, None, NotPermitted, [Has(1, TemporaryFile), Has(2, OtherIdentity)]),
        new(257, 56, NotPermitted, [Has(2, Create), Has(3, OtherIdentity)]), // openat
        new(257, 56, NotPermitted, [Has(2, TemporaryFile), Has(3, OtherIdentity)]),

        // Opened neither to read nor to write, which Landlock lets pass: control calls work on that.
        new(2, None, NoAccess, [new(1, AccessMask, AccessMask)]), // open
        new(257, 56, NoAccess, [new(2, AccessMask, AccessMask)]), // openat

        // Its arguments are where no filter can look; programs fall back to openat.
        new(437, 437, NoSuchCall, []), // openat2

        // Attributes hold lists of who else may; they are changed by path, which Landlock does not see. As on a file system without them.
        new(188, 5, NotSupported, []), // setxattr
        new(189, 6, NotSupported, []), // lsetxattr
        new(190, 7, NotSupported, []), // fsetxattr
        new(197, 14, NotSupported, []), // removexattr
        new(198, 15, NotSupported, []), // lremovexattr
        new(199, 16, NotSupported, []), // fremovexattr
        new(463, 463, NotSupported, []), // setxattrat
        new(466, 466, NotSupported, []), // removexattrat
    ];

    // Opening to read truncates as well.
    private static readonly Entry[] s_withoutTruncate =
    [
        new(76, 45, NoAccess, []), // truncate
        new(2, None, NoAccess, [new(1, Truncate | AccessMask, Truncate)]), // open
        new(257, 56, NoAccess, [new(2, Truncate | AccessMask, Truncate)]), // openat
    ];

    /// <summary>Any of the bits.</summary>
    private static FilterCondition Has(int argument, uint bits) => new(argument, bits, 0, IsEqual: false);

    private static FilterCondition Not(int argument, uint value) => new(argument, Whole, value, IsEqual: false);

    private sealed record Entry(int X64, int Arm64, int Errno, FilterCondition[] Conditions);
}
