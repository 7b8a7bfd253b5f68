using System.Buffers.Binary;
using System.Runtime.InteropServices;
using AgentMesh.Shim.Confine;

namespace AgentMesh.Workers.Tests.Fences;

/// <summary>The filter of a program that is locked in, run over system calls as the kernel would.</summary>
public sealed class SyscallFilterTests
{
    private const uint Kill = SyscallFilter.KillProcess, Allow = SyscallFilter.Allow;
    private const int NotPermitted = 1, NoAccess = 13, NoSuchCall = 38, NotSupported = 95;

    [Theory]
    [InlineData(41, 198, 1, 1, NoAccess)] // socket: unix, also with flags in its type
    [InlineData(41, 198, 1, 0x80001, NoAccess)]
    [InlineData(41, 198, 1, 2, NoAccess)]
    [InlineData(41, 198, 40, 1, NoAccess)] // vsock
    [InlineData(41, 198, 38, 5, NoAccess)] // alg
    [InlineData(41, 198, 0, 0, NoAccess)]
    [InlineData(41, 198, 2, 1, 0)] // inet
    [InlineData(41, 198, 10, 2, 0)] // inet6
    [InlineData(41, 198, 16, 3, 0)] // netlink
    [InlineData(53, 199, 1, 1, 0)] // socketpair: stream, with flags, sequenced packets; datagrams could be turned to others
    [InlineData(53, 199, 1, 0x80801, 0)]
    [InlineData(53, 199, 1, 5, 0)]
    [InlineData(53, 199, 1, 2, NoAccess)]
    [InlineData(53, 199, 1, 0x80002, NoAccess)]
    [InlineData(53, 199, 1, 3, NoAccess)] // raw is datagrams here
    [InlineData(53, 199, 30, 1, NoAccess)] // tipc
    [InlineData(425, 425, 0, 0, NotPermitted)]
    [InlineData(426, 426, 0, 0, NotPermitted)]
    [InlineData(427, 427, 0, 0, NotPermitted)]
    [InlineData(302, 261, 0, 7, 0)] // prlimit64: of itself
    [InlineData(302, 261, 4711, 7, NotPermitted)]
    [InlineData(250, 219, 0, 0, NotPermitted)] // keyctl
    [InlineData(30, 196, 0, 0, NotPermitted)] // shmat
    [InlineData(91, 52, 3, 0x1ed, 0)] // fchmod 0755, 04755, 02755
    [InlineData(91, 52, 3, 0x9ed, NotPermitted)]
    [InlineData(91, 52, 3, 0x5ed, NotPermitted)]
    [InlineData(437, 437, 0, 0, NoSuchCall)] // openat2
    [InlineData(188, 5, 0, 0, NotSupported)] // setxattr
    [InlineData(0, 63, 0, 0, 0)] // read
    [InlineData(59, 221, 0, 0, 0)] // execve
    [InlineData(62, 129, 1, 9, 0)] // kill: Landlock tells whom
    public void A_call_gets_through_or_fails(int x64, int arm64, ulong first, ulong second, int errno)
    {
        Assert.Equal(Errno(errno), Run(Architecture.X64, x64, 6, first, second));
        Assert.Equal(Errno(errno), Run(Architecture.Arm64, arm64, 6, first, second));
    }

    [Theory]
    [InlineData(0x41, 0x1a4, 0)] // create 0644, 04644, 02644
    [InlineData(0x41, 0x9a4, NotPermitted)]
    [InlineData(0x41, 0x5a4, NotPermitted)]
    [InlineData(0x1, 0x9a4, 0)] // the mode is noise where nothing is made
    [InlineData(0x410002, 0x9a4, NotPermitted)] // a file without a name
    public void Nothing_is_made_with_the_identity_of_the_user(ulong flags, ulong mode, int errno)
    {
        Assert.Equal(Errno(errno), Run(Architecture.X64, 257, 6, 0, 0, flags, mode));
        Assert.Equal(Errno(errno), Run(Architecture.X64, 2, 6, 0, flags, mode));
        Assert.Equal(Errno(errno), Run(Architecture.Arm64, 56, 6, 0, 0, flags, mode));
    }

    [Theory]
    [InlineData(2, 0x200, NoAccess)] // to read, and truncate
    [InlineData(2, 0x203, NoAccess)]
    [InlineData(2, 0x201, 0)] // to write: Landlock sees it
    [InlineData(2, 0x202, 0)]
    [InlineData(2, 0, 0)]
    [InlineData(3, 0x200, 0)]
    [InlineData(6, 0x203, NoAccess)] // neither to read nor to write, which Landlock lets pass
    [InlineData(6, 3, NoAccess)]
    public void Where_the_kernel_does_not_see_that_a_file_is_truncated_the_filter_does(int abi, ulong flags, int errno)
    {
        Assert.Equal(Errno(errno), Run(Architecture.X64, 257, abi, 0, 0, flags));
        Assert.Equal(Errno(errno), Run(Architecture.X64, 2, abi, 0, flags));
        Assert.Equal(Errno(errno), Run(Architecture.Arm64, 56, abi, 0, 0, flags));
        Assert.Equal(Errno(abi < 3 ? NoAccess : 0), Run(Architecture.X64, 76, abi));
        Assert.Equal(Errno(abi < 3 ? NoAccess : 0), Run(Architecture.Arm64, 45, abi));
    }

    [Fact]
    public void Numbers_that_mean_something_else_do_not_get_through()
    {
        Assert.Equal(Kill, RunAs(0x40000003, Architecture.X64, 41)); // i386
        Assert.Equal(Kill, RunAs(SyscallFilter.AuditNumber(Architecture.X64), Architecture.Arm64, 63));
        Assert.Equal(Errno(NoSuchCall), Run(Architecture.X64, 0x40000029, 6, 1, 1)); // socket of x32
        Assert.Equal(Errno(NoSuchCall), Run(Architecture.X64, 0x40000000, 6));
        Assert.Equal(Allow, Run(Architecture.X64, 0x3fffffff, 6));
    }

    [Fact]
    public void The_kernel_looks_at_the_lower_half_of_an_argument_and_so_does_the_filter()
    {
        Assert.Equal(Errno(NoAccess), Run(Architecture.X64, 41, 6, 0x2_0000_0001, 1));
        Assert.Equal(Allow, Run(Architecture.X64, 41, 6, 0x1_0000_0002, 1));
    }

    [Theory]
    [InlineData(Architecture.X64)]
    [InlineData(Architecture.Arm64)]
    public void Each_rule_refuses_what_it_is_about(Architecture architecture)
    {
        foreach (FilterRule rule in FilterRules.For(architecture, abi: 1))
        {
            ulong[] arguments = new ulong[6];
            foreach (FilterCondition condition in rule.Conditions)
            {
                // A value that no other condition on the argument takes for its own.
                arguments[condition.Argument] = condition.IsEqual ? condition.Value : condition.Mask == uint.MaxValue ? 0x77u : condition.Value == 0 ? condition.Mask : 0x7u;
            }

            uint got = Run(architecture, rule.Number, 1, arguments);
            Assert.True(got != Allow, $"{architecture} {rule.Number} {string.Join(' ', arguments)}");
        }
    }

    private static uint Errno(int errno) => errno == 0 ? Allow : SyscallFilter.Fail | (uint)errno;

    private static uint Run(Architecture architecture, int number, int abi, params ulong[] arguments) =>
        Evaluate(SyscallFilter.Build(architecture, FilterRules.For(architecture, abi)), SyscallFilter.AuditNumber(architecture), number, arguments);

    private static uint RunAs(uint audit, Architecture architecture, int number) =>
        Evaluate(SyscallFilter.Build(architecture, FilterRules.For(architecture, 6)), audit, number, []);

    /// <summary>What the kernel does with such a program, for the instructions that it may have.</summary>
    private static uint Evaluate(IReadOnlyList<BpfInstruction> program, uint audit, int number, ulong[] arguments)
    {
        byte[] data = new byte[64];
        BinaryPrimitives.WriteInt32LittleEndian(data, number);
        BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(4), audit);
        for (int i = 0; i < arguments.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(data.AsSpan(16 + (8 * i)), arguments[i]);
        }

        Assert.InRange(program.Count, 1, 4096);
        uint a = 0;
        for (int at = 0; at < program.Count; at++)
        {
            BpfInstruction each = program[at];
            switch (each.Code)
            {
                case SyscallFilter.Load:
                    Assert.Equal(0u, each.K % 4);
                    a = BinaryPrimitives.ReadUInt32LittleEndian(data.AsSpan((int)each.K));
                    break;
                case SyscallFilter.And:
                    a &= each.K;
                    break;
                case SyscallFilter.JumpIfEqual:
                    at += a == each.K ? each.IfTrue : each.IfFalse;
                    break;
                case SyscallFilter.JumpIfAtLeast:
                    at += a >= each.K ? each.IfTrue : each.IfFalse;
                    break;
                case SyscallFilter.Return:
                    return each.K;
                default:
                    Assert.Fail($"no instruction: {each.Code:x}");
                    break;
            }
        }

        Assert.Fail("the program runs over its end");
        return 0;
    }
}
