using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Scenarios.Harness;

/// <summary>A terminal with a person at it: what they see and type, and a command that was started there.</summary>
internal sealed class TestTerminal : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly int _master;
    private readonly Process _command;
    private readonly StringBuilder _seen = new();
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _allSeen = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private TestTerminal(int master, Process command)
    {
        _master = master;
        _command = command;
        new Thread(Watch) { IsBackground = true }.Start();
    }

    public static TestTerminal Start(TestNode node, int columns, int rows, params string[] words)
    {
        int master = OpenMaster(2 | 0x100);
        byte[] name = new byte[128];
        Assert.True(master >= 0 && Grant(master) == 0 && Unlock(master) == 0 && NameOf(master, name, (nuint)name.Length) == 0, "a terminal can be made");
        SetSize(master, columns, rows);
        string path = Encoding.UTF8.GetString(name, 0, Array.IndexOf(name, (byte)0));
        ProcessStartInfo start = node.StartInfo(words);
        var onTerminal = new ProcessStartInfo("sh", ["-c", "exec setsid -c -w \"$@\" <\"$0\" >\"$0\" 2>&1", path, start.FileName, .. start.ArgumentList]) { UseShellExecute = false };
        foreach ((string key, string? value) in start.Environment)
        {
            onTerminal.Environment[key] = value;
        }

        onTerminal.Environment["TERM"] = "xterm";
        return new TestTerminal(master, Process.Start(onTerminal)!);
    }

    public string Seen
    {
        get
        {
            lock (_gate)
            {
                return _seen.ToString();
            }
        }
    }

    public void Type(string keys)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(keys);
        Assert.Equal(bytes.Length, Write(_master, bytes, bytes.Length));
    }

    public void Resize(int columns, int rows) => SetSize(_master, columns, rows);

    public Task SeesAsync(string text) => Eventually.HoldsAsync(() => Task.FromResult(Seen.Contains(text, StringComparison.Ordinal) || Fail(text)), $"'{text}' appears; seen so far: {Seen}", Patience);

    /// <summary>When all that it wrote has been seen, too.</summary>
    public async Task<int> ExitAsync()
    {
        using var late = new CancellationTokenSource(Patience);
        await _command.WaitForExitAsync(late.Token);
        await _allSeen.Task.WaitAsync(late.Token);
        return _command.ExitCode;
    }

    /// <summary>The modes of the terminal, as <c>stty</c> shows them.</summary>
    public bool IsRaw
    {
        get
        {
            byte[] modes = new byte[256];
            Assert.Equal(0, GetModes(_master, modes));

            // The fourth number holds the local modes; bit 1 is ICANON.
            return (BitConverter.ToUInt32(modes, 12) & 2) == 0;
        }
    }

    /// <summary>The client is killed, as by a closed window.</summary>
    public void Kill() => _command.Kill(entireProcessTree: true);

    public void Dispose()
    {
        if (!_command.HasExited)
        {
            Kill();
        }

        _command.Dispose();
        _ = Close(_master);
    }

    private bool Fail(string text) => _command.HasExited ? throw new Xunit.Sdk.XunitException($"the command ended before '{text}' appeared: {Seen}") : false;

    private void Watch()
    {
        byte[] buffer = new byte[4096];
        while (Read(_master, buffer, buffer.Length) is > 0 and nint read)
        {
            lock (_gate)
            {
                _seen.Append(Encoding.UTF8.GetString(buffer, 0, (int)read));
            }
        }

        // Nobody has the other side open any more.
        _allSeen.SetResult();
    }

    private static void SetSize(int master, int columns, int rows) => Assert.Equal(0, Control(master, 0x5414, [(ushort)rows, (ushort)columns, 0, 0]));

    [DllImport("libc", EntryPoint = "posix_openpt")]
    private static extern int OpenMaster(int flags);

    [DllImport("libc", EntryPoint = "grantpt")]
    private static extern int Grant(int master);

    [DllImport("libc", EntryPoint = "unlockpt")]
    private static extern int Unlock(int master);

    [DllImport("libc", EntryPoint = "ptsname_r")]
    private static extern int NameOf(int master, byte[] name, nuint length);

    [DllImport("libc", EntryPoint = "ioctl")]
    private static extern int Control(int file, nuint request, ushort[] value);

    [DllImport("libc", EntryPoint = "tcgetattr")]
    private static extern int GetModes(int file, byte[] modes);

    [DllImport("libc", EntryPoint = "read")]
    private static extern nint Read(int file, byte[] to, nint count);

    [DllImport("libc", EntryPoint = "write")]
    private static extern nint Write(int file, byte[] from, nint count);

    [DllImport("libc", EntryPoint = "close")]
    private static extern int Close(int file);
}
