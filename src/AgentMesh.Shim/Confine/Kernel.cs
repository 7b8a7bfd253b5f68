using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace AgentMesh.Shim.Confine;

/// <summary>Locks the calling thread in, and with it the program that it becomes.</summary>
internal static class Kernel
{
    private const int SetNoNewPrivileges = 38, DropFromBoundingSet = 24;
    private const int SetModeFilter = 1;
    private const int PathBeneath = 1;
    private const int Invalid = 22;
    private const int AtCurrentDirectory = -100;
    private const int PathOnly = 0x200000, CloseOnExec = 0x80000;
    private const int NoLinks = 4;

    /// <summary>Of a process of root: beside what files let their owner, only these (CAP_DAC_OVERRIDE, CAP_NET_BIND_SERVICE).</summary>
    private const ulong KeptCapabilities = (1ul << 1) | (1ul << 10);

    private const int CapabilitiesMax = 64;
    private const uint CapabilityVersion = 0x20080522;

    public static int ForbidNewPrivileges()
    {
        KernelCalls.Call(KernelCalls.Control, SetNoNewPrivileges, 1, 0, 0, out int errno);
        return errno;
    }

    /// <summary>What root may do beside files: load modules, mount, make devices. Nothing for other users, who have no capabilities.</summary>
    public static int DropCapabilities()
    {
        for (int capability = 0; capability < CapabilitiesMax; capability++)
        {
            if ((KeptCapabilities >> capability & 1) == 0)
            {
                // Refused where there is nothing to drop.
                KernelCalls.Call(KernelCalls.Control, DropFromBoundingSet, capability, 0, 0, out _);
            }
        }

        byte[] header = new byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(header, CapabilityVersion);
        nint head = KernelCalls.Copy(header), sets = KernelCalls.Copy(new byte[24]);
        if (KernelCalls.Call(KernelCalls.GetCapabilities, head, sets, 0, 0, out int errno) != 0)
        {
            return errno;
        }

        // Effective, permitted and inheritable, the lower halves before the upper ones.
        for (int word = 0; word < 6; word++)
        {
            uint kept = word >= 3 ? (uint)(KeptCapabilities >> 32) : word == 2 ? 0 : (uint)KeptCapabilities;
            Marshal.WriteInt32(sets, word * 4, (int)((uint)Marshal.ReadInt32(sets, word * 4) & kept));
        }

        KernelCalls.Call(KernelCalls.SetCapabilities, head, sets, 0, 0, out errno);
        return errno;
    }

    /// <returns>The set of rules, or -1.</returns>
    public static int NewRules(int abi, out int errno)
    {
        byte[] attributes = new byte[24];
        BinaryPrimitives.WriteUInt64LittleEndian(attributes, (ulong)Rights.Handled(abi));
        BinaryPrimitives.WriteUInt64LittleEndian(attributes.AsSpan(16), Rights.Scoped(abi));
        return (int)KernelCalls.Call(KernelCalls.LandlockCreate, KernelCalls.Copy(attributes), Rights.AttributeBytes(abi), 0, 0, out errno);
    }

    /// <summary>A place that is not there, or behind a link that has come there since, gives nothing.</summary>
    /// <returns>0, or the errno of a rule that the kernel does not take.</returns>
    public static int Add(int rules, int abi, Place place)
    {
        byte[] how = new byte[24];
        BinaryPrimitives.WriteUInt64LittleEndian(how, PathOnly | CloseOnExec);
        BinaryPrimitives.WriteUInt64LittleEndian(how.AsSpan(16), NoLinks);
        byte[] path = System.Text.Encoding.UTF8.GetBytes(place.Path + "\0");
        int file = (int)KernelCalls.Call(KernelCalls.OpenAt2, AtCurrentDirectory, KernelCalls.Copy(path), KernelCalls.Copy(how), how.Length, out _);
        if (file < 0)
        {
            return 0;
        }

        int errno = Add(rules, abi, file, Rights.Of(place.Kind));
        _ = Native.Close(file);
        return errno;
    }

    /// <summary>What is open already can be opened again: a terminal, a named pipe. Pipes without a name need no rule and the kernel takes none.</summary>
    public static void AddOpen(int rules, int abi, int file) => _ = Add(rules, abi, file, Rights.Of(PlaceKind.Device));

    public static int Restrict(int rules)
    {
        KernelCalls.Call(KernelCalls.LandlockRestrict, rules, 0, 0, 0, out int errno);
        return errno;
    }

    /// <summary>In memory where <see cref="Filter"/> needs nothing more.</summary>
    public static nint PrepareFilter(IReadOnlyList<BpfInstruction> program)
    {
        byte[] description = new byte[16];
        BinaryPrimitives.WriteUInt16LittleEndian(description, checked((ushort)program.Count));
        BinaryPrimitives.WriteInt64LittleEndian(description.AsSpan(8), KernelCalls.Copy(SyscallFilter.Bytes(program)));
        return KernelCalls.Copy(description);
    }

    public static int Filter(nint prepared)
    {
        KernelCalls.Call(KernelCalls.Seccomp, SetModeFilter, 0, prepared, 0, out int errno);
        return errno;
    }

    private static int Add(int rules, int abi, int file, FileRights rights)
    {
        int errno = AddRule(rules, file, rights & Rights.Handled(abi));
        return errno == Invalid ? AddRule(rules, file, Rights.OfFile(rights) & Rights.Handled(abi)) : errno;
    }

    private static int AddRule(int rules, int file, FileRights rights)
    {
        byte[] rule = new byte[12];
        BinaryPrimitives.WriteUInt64LittleEndian(rule, (ulong)rights);
        BinaryPrimitives.WriteInt32LittleEndian(rule.AsSpan(8), file);
        KernelCalls.Call(KernelCalls.LandlockAdd, rules, PathBeneath, KernelCalls.Copy(rule), 0, out int errno);
        return errno;
    }
}
