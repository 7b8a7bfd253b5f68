using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace AgentMesh.Shim.Confine;

/// <summary>What the kernel here can do to lock a program in.</summary>
/// <param name="Abi">Of Landlock; 0 for none.</param>
/// <param name="WhyNot">Null where programs can be locked in.</param>
internal sealed record KernelSupport(int Abi, string? WhyNot)
{
    /// <summary>Landlock keeps signals from leaving.</summary>
    public const int AbiWithSignals = 6;

    public static KernelSupport Ask()
    {
        if (!OperatingSystem.IsLinux())
        {
            return new KernelSupport(0, "this system is not Linux");
        }

        if (!KernelCalls.IsSupported)
        {
            return new KernelSupport(0, "this processor is neither x64 nor arm64");
        }

        int abi = (int)KernelCalls.Call(KernelCalls.LandlockCreate, 0, 0, VersionFlag, 0, out int errno);
        if (abi < 1)
        {
            return new KernelSupport(0, $"the kernel has no Landlock, or it is switched off (errno {errno.ToString(System.Globalization.CultureInfo.InvariantCulture)})");
        }

        byte[] action = GC.AllocateArray<byte>(sizeof(uint), pinned: true);
        BinaryPrimitives.WriteUInt32LittleEndian(action, SyscallFilter.KillProcess);
        bool hasFilter = KernelCalls.Call(KernelCalls.Seccomp, ActionAvailable, 0, Marshal.UnsafeAddrOfPinnedArrayElement(action, 0), 0, out _) == 0;
        GC.KeepAlive(action);
        return new KernelSupport(abi, hasFilter ? null : "the kernel has no filter for system calls (seccomp), or it is switched off");
    }

    private const int VersionFlag = 1;
    private const int ActionAvailable = 2;
}
