using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using AgentMesh.Shim.Format;

namespace AgentMesh.Shim;

/// <summary>The two ends of a terminal that is no device: what is written to one is typed at the other.</summary>
internal static class PseudoTerminal
{
    // The same on every architecture that .NET runs on.
    private const nuint SetSizeRequest = 0x5414;
    private const nuint SessionRequest = 0x5429;

    /// <returns>The end of this process, not blocking, and the program's.</returns>
    /// <exception cref="IOException">The system has none left, or no /dev/pts.</exception>
    public static (int Master, int Slave) Open(TerminalSize size)
    {
        int master = OpenMaster(Native.OpenReadWrite | Native.NoControllingTerminal);
        byte[] name = new byte[128];
        if (master < 0 || Grant(master) != 0 || Unlock(master) != 0 || NameOf(master, name, (nuint)name.Length) != 0)
        {
            throw Native.Failed("a terminal could not be made");
        }

        SetSize(master, size);
        string path = Encoding.UTF8.GetString(name, 0, Array.IndexOf(name, (byte)0));
        int slave = Native.Open(path, Native.OpenReadWrite | Native.NoControllingTerminal | Native.CloseOnExec, 0);
        if (slave < 0 || FileControl(master, SetDescriptorFlags, CloseOnExecFlag) < 0 || FileControl(master, SetStatusFlags, Native.OpenReadWrite | Native.NonBlocking) < 0)
        {
            throw Native.Failed("a terminal could not be opened");
        }

        return (master, slave);
    }

    /// <summary>The kernel tells the program with SIGWINCH.</summary>
    public static void SetSize(int master, TerminalSize size)
    {
        ushort[] window = [(ushort)size.Rows, (ushort)size.Columns, 0, 0];
        _ = Control(master, SetSizeRequest, window);
    }

    /// <summary>To every process of the terminal's session: who leads it, the shell it runs, what that has in the foreground and in the background.</summary>
    public static void Signal(int master, int signal)
    {
        int[] session = [0];
        if (Control(master, SessionRequest, session) != 0 || session[0] <= 1)
        {
            return;
        }

        foreach (string directory in Directory.GetDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out int process) && ProcessIdentity.SessionOf(process) == session[0])
            {
                _ = Native.Kill(process, signal);
            }
        }
    }

    private const int SetDescriptorFlags = 2;
    private const int SetStatusFlags = 4;
    private const int CloseOnExecFlag = 1;

    [DllImport("libc", EntryPoint = "posix_openpt", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int OpenMaster(int flags);

    [DllImport("libc", EntryPoint = "grantpt", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int Grant(int master);

    [DllImport("libc", EntryPoint = "unlockpt", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int Unlock(int master);

    [DllImport("libc", EntryPoint = "ptsname_r", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int NameOf(int master, byte[] name, nuint length);

    [DllImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int FileControl(int file, int command, int value);

    [DllImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int Control(int file, nuint request, [In, Out] ushort[] value);

    [DllImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int Control(int file, nuint request, [In, Out] int[] value);
}
