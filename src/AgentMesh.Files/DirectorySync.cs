using System.Runtime.InteropServices;

namespace AgentMesh.Files;

/// <summary>
/// Makes the names in a directory durable: on Unix a file that was created and flushed can still lose its name in a power cut until its
/// directory is flushed too. Windows has no such call and needs none.
/// </summary>
public static class DirectorySync
{
    private const int ReadOnlyFlag = 0;

    /// <summary>EINVAL, of a file system that has no such call for directories (some network and user space ones).</summary>
    private const int NotSupported = 22;

    /// <exception cref="IOException">It cannot be opened or flushed.</exception>
    public static void Flush(string directory)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        int descriptor = Open(directory, ReadOnlyFlag);
        if (descriptor < 0)
        {
            throw new IOException($"cannot open the directory {directory} (errno {Marshal.GetLastPInvokeError()})");
        }

        try
        {
            if (FSync(descriptor) != 0 && Marshal.GetLastPInvokeError() != NotSupported)
            {
                throw new IOException($"cannot flush the directory {directory} (errno {Marshal.GetLastPInvokeError()})");
            }
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int FSync(int descriptor);

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int descriptor);
}
