using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace AgentMesh.Workers.Attempts;

/// <summary>Opens files that a program made: a pipe or a device among them must not hold up the node.</summary>
internal static class RegularFile
{
    private const int BufferBytes = 256 * 1024;

    // Linux, the same on all its processors.
    private const int NonBlocking = 0x800, CloseOnExec = 0x80000;

    /// <returns>Null for what is no regular file.</returns>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static FileStream? OpenRead(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferBytes, useAsync: true);
        }

        int descriptor = Open(path, NonBlocking | CloseOnExec);
        if (descriptor < 0)
        {
            throw new IOException($"{path} cannot be opened (errno {Marshal.GetLastPInvokeError()})");
        }

        var file = new FileStream(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.Read, BufferBytes);
        if (file.CanSeek)
        {
            return file;
        }

        file.Dispose();
        return null;
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);
}
