using System.Runtime.InteropServices;

namespace AgentMesh.Shim.Confine;

/// <summary>System calls by their numbers: most of these have no function in older libraries, and one import that is bound before a program is locked in needs no file afterwards.</summary>
internal static class KernelCalls
{
    /// <summary>The same on every architecture that is young enough.</summary>
    public const int OpenAt2 = 437, CloseRange = 436, LandlockCreate = 444, LandlockAdd = 445, LandlockRestrict = 446;

    public static bool IsSupported => RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;

    public static int Control => Either(157, 167);

    public static int Seccomp => Either(317, 277);

    public static int Execute => Either(59, 221);

    public static int TruncateFile => Either(77, 46);

    public static int WriteAt => Either(18, 68);

    public static int GetCapabilities => Either(125, 90);

    public static int SetCapabilities => Either(126, 91);

    /// <returns>What the call returns, and the errno where that is -1.</returns>
    public static nint Call(int number, nint a, nint b, nint c, nint d, out int errno)
    {
        nint result = SystemCall(number, a, b, c, d, 0);
        errno = result == -1 ? Marshal.GetLastPInvokeError() : 0;
        return result;
    }

    /// <summary>A copy where the kernel can read it. Never freed: this process becomes another one.</summary>
    public static nint Copy(ReadOnlySpan<byte> bytes)
    {
        byte[] copy = GC.AllocateArray<byte>(Math.Max(1, bytes.Length), pinned: true);
        bytes.CopyTo(copy);
        s_kept.Add(copy);
        return Marshal.UnsafeAddrOfPinnedArrayElement(copy, 0);
    }

    private static readonly List<byte[]> s_kept = [];

    private static int Either(int x64, int arm64) => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? arm64 : x64;

    [DllImport("libc", EntryPoint = "syscall", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern nint SystemCall(nint number, nint a, nint b, nint c, nint d, nint e);
}
