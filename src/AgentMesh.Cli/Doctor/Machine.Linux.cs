using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace AgentMesh.Cli.Doctor;

/// <summary>What only Linux is asked; elsewhere the portable answer, or none.</summary>
internal static partial class Machine
{
    private static void Flush(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux())
        {
            RandomAccess.FlushToDisk(file);
        }
        else if (FDataSync(file) != 0)
        {
            throw new IOException($"the disk refused to flush (errno {Marshal.GetLastPInvokeError()})");
        }
    }

    /// <summary>By statx, whose layout is the same on every processor (statx(2)): stx_mask is the first number, stx_uid is at byte 20.</summary>
    private static uint? Owner(string path)
    {
        const int currentDirectory = -100;
        const uint owner = 0x8;
        byte[] found = new byte[256];
        try
        {
            return OperatingSystem.IsLinux() && StatX(currentDirectory, path, 0, owner, found) == 0 && (BitConverter.ToUInt32(found, 0) & owner) != 0 ? BitConverter.ToUInt32(found, 20) : null;
        }
        catch (EntryPointNotFoundException)
        {
            // An old C library.
            return null;
        }
    }

    [DllImport("libc", EntryPoint = "statx", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int StatX(int directory, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, [Out] byte[] found);

    [DllImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint EffectiveUser();

    [DllImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int FDataSync(SafeFileHandle file);
}
