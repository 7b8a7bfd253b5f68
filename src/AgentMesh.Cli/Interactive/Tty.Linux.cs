using System.Runtime.InteropServices;

namespace AgentMesh.Cli.Interactive;

/// <summary>The terminal of this process: its size, its modes, and its input byte for byte.</summary>
internal static class Tty
{
    private const int Input = 0;
    private const int Output = 1;
    private const nuint SizeRequest = 0x5413;
    private const int Drain = 1;
    private const short PollIn = 1;

    // Opaque, and smaller than this in every libc.
    private static readonly byte[] Saved = new byte[256];
    private static readonly Lock Gate = new();
    private static bool _isRaw;
    private static Stream? _other;

    public static bool IsTerminal => OperatingSystem.IsLinux() && IsATerminal(Input) == 1 && IsATerminal(Output) == 1;

    /// <returns>Null where it is not known.</returns>
    public static (int Columns, int Rows)? Size
    {
        get
        {
            ushort[] window = new ushort[4];
            return OperatingSystem.IsLinux() && Control(Output, SizeRequest, window) == 0 && window is [> 0, > 0, ..] ? (window[1], window[0]) : null;
        }
    }

    /// <summary>Every key comes as it is typed, until <see cref="Restore"/>.</summary>
    public static void MakeRaw()
    {
        lock (Gate)
        {
            if (_isRaw || GetModes(Input, Saved) != 0)
            {
                return;
            }

            byte[] raw = [.. Saved];
            MakeRawModes(raw);
            _isRaw = SetModes(Input, Drain, raw) == 0;
        }
    }

    /// <summary>As it was before; does nothing the second time.</summary>
    public static void Restore()
    {
        lock (Gate)
        {
            if (_isRaw)
            {
                _isRaw = false;
                _ = SetModes(Input, Drain, Saved);
            }
        }
    }

    /// <summary>Reads what is there from standard input, waiting for it at most so long.</summary>
    /// <returns>Null when nothing came; 0 at the end.</returns>
    public static int? Read(byte[] buffer, TimeSpan wait)
    {
        if (!OperatingSystem.IsLinux())
        {
            _other ??= Console.OpenStandardInput();
            return _other.Read(buffer);
        }

        var entry = new PollEntry { File = Input, Events = PollIn };
        if (Poll(ref entry, 1, (int)wait.TotalMilliseconds) <= 0)
        {
            return null;
        }

        nint read = ReadBytes(Input, buffer, buffer.Length);
        return read < 0 ? null : (int)read;
    }

    [DllImport("libc", EntryPoint = "isatty")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int IsATerminal(int file);

    [DllImport("libc", EntryPoint = "ioctl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int Control(int file, nuint request, [In, Out] ushort[] value);

    [DllImport("libc", EntryPoint = "tcgetattr")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int GetModes(int file, [In, Out] byte[] modes);

    [DllImport("libc", EntryPoint = "tcsetattr")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int SetModes(int file, int when, byte[] modes);

    [DllImport("libc", EntryPoint = "cfmakeraw")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern void MakeRawModes([In, Out] byte[] modes);

    [DllImport("libc", EntryPoint = "poll")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int Poll(ref PollEntry entry, nuint count, int milliseconds);

    [DllImport("libc", EntryPoint = "read")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern nint ReadBytes(int file, [Out] byte[] to, nint count);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int File;
        public short Events;
        public short Happened;
    }
}
