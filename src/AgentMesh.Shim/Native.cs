using System.Runtime.InteropServices;

namespace AgentMesh.Shim;

/// <summary>The calls of Linux that the shim lives by. Values are those of x64 and arm64, which agree on all of them.</summary>
internal static class Native
{
    public const int OpenRead = 0;
    public const int OpenWrite = 1;
    public const int OpenReadWrite = 2;
    public const int OpenCreate = 0x40;
    public const int NoControllingTerminal = 0x100;
    public const int OpenAppend = 0x400;
    public const int NonBlocking = 0x800;
    public const int CloseOnExec = 0x80000;

    public const short PollIn = 1;
    public const short PollOut = 4;
    public const short PollError = 8;
    public const short PollHangUp = 16;

    public const int TryAgain = 11;
    public const int NoSpace = 28;
    public const int QuotaExceeded = 122;

    public const int SigHangUp = 1;
    public const int SigKill = 9;
    public const int SigPipe = 13;
    public const int SigContinue = 18;
    public const int SigTerm = 15;
    public const int WaitNoHang = 1;

    private const int SubReaper = 36;
    private const long PidFdOpen = 434;
    private const int UnixFamily = 1;
    private const int SocketStream = 1;
    private const int SpawnSetSigDefault = 4;
    private const int SpawnSetSigMask = 8;
    private const int SpawnSetSession = 0x80;

    [DllImport("libc", EntryPoint = "setsid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static extern int BecomeSessionLeader();

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, int mode);

    [DllImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static extern int Close(int file);

    [DllImport("libc", EntryPoint = "read", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static extern nint Read(int file, ref byte to, nint count);

    [DllImport("libc", EntryPoint = "write", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static extern nint Write(int file, ref byte from, nint count);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static extern int Sync(int file);

    [DllImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static extern int Truncate(int file, long length);

    /// <returns>Another number, from 10 on, of the same open file, closed in programs; -1 where there is none left.</returns>
    public static int DuplicateOf(int file) => DuplicateAbove(file, DuplicateCloseOnExec, 10);

    private const int DuplicateCloseOnExec = 1030;

    [DllImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int DuplicateAbove(int file, int command, int atLeast);

    [DllImport("libc", EntryPoint = "dup2", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static extern int Duplicate(int from, int to);

    [DllImport("libc", EntryPoint = "pipe2", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static extern int Pipe([Out] int[] ends, int flags);

    [DllImport("libc", EntryPoint = "poll", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static extern int Poll([In, Out] PollEntry[] entries, nuint count, int milliseconds);

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static extern int Kill(int process, int signal);

    [DllImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static extern int Wait(int process, out int status, int options);

    [DllImport("libc", EntryPoint = "accept4", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static extern int Accept(int socket, IntPtr address, IntPtr length, int flags);

    /// <summary>What a program leaves behind when it has left its group becomes a child of this process.</summary>
    public static void AdoptOrphans() => _ = Control(SubReaper, 1, 0, 0, 0);

    /// <returns>A file that is readable when the process has ended; -1 where the kernel has none (before 5.3).</returns>
    public static int WatchProcess(int process) => (int)SystemCall(PidFdOpen, process, 0);

    public static int Listen(string path)
    {
        int socket = CreateSocket(UnixFamily, SocketStream | CloseOnExec | NonBlocking, 0);
        byte[] address = new byte[110];
        address[0] = UnixFamily;
        System.Text.Encoding.UTF8.GetBytes(path, address.AsSpan(2));
        if (socket < 0 || Bind(socket, address, (uint)address.Length) != 0 || ListenOn(socket, 8) != 0)
        {
            throw Failed("the control socket could not be made");
        }

        return socket;
    }

    /// <summary>Starts a program in a session and group of its own, with the three files as its standard ones and every signal as usual.</summary>
    /// <returns>Its number, which is also its group's.</returns>
    /// <exception cref="IOException">It could not be started.</exception>
    /// <param name="more">Become files 5, 6 and so on. Their numbers here are higher than those.</param>
    public static int Spawn(
        string program, IReadOnlyList<string> words, IReadOnlyList<string> environment, string directory, int input, int output, int error, int[] more)
    {
        // Both are opaque and smaller than this in every libc.
        byte[] attributes = GC.AllocateArray<byte>(1024, pinned: true), actions = GC.AllocateArray<byte>(1024, pinned: true), signals = new byte[128];
        Check(AttributesInit(attributes));
        _ = SignalsFill(signals);
        Check(AttributesDefaults(attributes, signals));
        _ = SignalsEmpty(signals);
        Check(AttributesMask(attributes, signals));
        Check(AttributesFlags(attributes, SpawnSetSession | SpawnSetSigDefault | SpawnSetSigMask));
        Check(ActionsInit(actions));
        Check(ActionsDirectory(actions, directory));
        Check(ActionsDuplicate(actions, input, 0));
        Check(ActionsDuplicate(actions, output, 1));
        Check(ActionsDuplicate(actions, error, 2));
        for (int i = 0; i < more.Length; i++)
        {
            Check(ActionsDuplicate(actions, more[i], 5 + i));
        }

        Check(SpawnProcess(out int process, program, actions, attributes, Strings(words), Strings(environment)));
        return process;
    }

    /// <summary>A write to a pipe that nobody reads is an error, not the end of this process.</summary>
    public static void IgnoreBrokenPipes() => _ = SetSignal(SigPipe, 1);

    /// <summary>As every program expects it; a signal that is ignored stays so in a program that this process becomes.</summary>
    public static void TakeBrokenPipes() => _ = SetSignal(SigPipe, 0);

    public static IOException Failed(string what) => new(what + ": errno " + Marshal.GetLastPInvokeError().ToString(System.Globalization.CultureInfo.InvariantCulture));

    private static void Check(int result)
    {
        if (result != 0)
        {
            throw new IOException("the program could not be started: errno " + result.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    // Never freed: once in the life of the process.
    private static IntPtr[] Strings(IReadOnlyList<string> texts) => [.. texts.Select(Marshal.StringToCoTaskMemUTF8), IntPtr.Zero];

    [DllImport("libc", EntryPoint = "signal")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern nint SetSignal(int signal, nint handler);

    [DllImport("libc", EntryPoint = "mkfifo", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    public static extern int MakeFifo([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int mode);

    [DllImport("libc", EntryPoint = "prctl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int Control(int option, nuint a, nuint b, nuint c, nuint d);

    [DllImport("libc", EntryPoint = "syscall", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern long SystemCall(long number, long a, long b);

    [DllImport("libc", EntryPoint = "socket", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int CreateSocket(int family, int type, int protocol);

    [DllImport("libc", EntryPoint = "bind", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int Bind(int socket, byte[] address, uint length);

    [DllImport("libc", EntryPoint = "listen", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int ListenOn(int socket, int backlog);

    [DllImport("libc", EntryPoint = "sigfillset")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int SignalsFill([In, Out] byte[] signals);

    [DllImport("libc", EntryPoint = "sigemptyset")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int SignalsEmpty([In, Out] byte[] signals);

    [DllImport("libc", EntryPoint = "posix_spawnattr_init")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int AttributesInit([In, Out] byte[] attributes);

    [DllImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int AttributesDefaults([In, Out] byte[] attributes, byte[] signals);

    [DllImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int AttributesMask([In, Out] byte[] attributes, byte[] signals);

    [DllImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int AttributesFlags([In, Out] byte[] attributes, short flags);

    [DllImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int ActionsInit([In, Out] byte[] actions);

    [DllImport("libc", EntryPoint = "posix_spawn_file_actions_addchdir_np")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int ActionsDirectory([In, Out] byte[] actions, [MarshalAs(UnmanagedType.LPUTF8Str)] string directory);

    [DllImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int ActionsDuplicate([In, Out] byte[] actions, int from, int to);

    [DllImport("libc", EntryPoint = "posix_spawn")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int SpawnProcess(
        out int process, [MarshalAs(UnmanagedType.LPUTF8Str)] string program, byte[] actions, byte[] attributes, IntPtr[] words, IntPtr[] environment);
}

[StructLayout(LayoutKind.Sequential)]
internal struct PollEntry
{
    public int File;
    public short Events;
    public short Happened;
}
