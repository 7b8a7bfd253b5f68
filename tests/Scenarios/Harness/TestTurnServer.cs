using System.Diagnostics;

namespace Scenarios.Harness;

/// <summary>Debian's coturn in a namespace, with one user, and everything it writes in a directory that goes with the test.</summary>
internal sealed class TestTurnServer : IAsyncDisposable
{
    public const string User = "mesh";
    public const string Password = "correct-horse";
    public const int Port = 3478;

    private readonly string _host;
    private readonly string _address;
    private readonly string[] _options;
    private readonly string _directory = Directory.CreateTempSubdirectory("am-turn-").FullName;
    private Process? _process;

    private TestTurnServer(string host, string address, string[] options)
    {
        _host = host;
        _address = address;
        _options = options;
    }

    /// <summary>Why there is none; empty where there is.</summary>
    public static string WhyNot => Shell.Has("turnserver") ? "" : "turnserver (Debian package coturn) is not installed";

    /// <summary>The part of a configuration that names it.</summary>
    /// <param name="passwordFile">Is written.</param>
    public string Setting(string passwordFile, string password = Password)
    {
        File.WriteAllText(passwordFile, password + "\n");
        return $"turn.servers = [{{ url = \"turn:{_address}\", user = {User}, password-file = \"{passwordFile}\" }}]";
    }

    public static async Task<TestTurnServer> StartAsync(string host, string address, params string[] options)
    {
        var server = new TestTurnServer(host, address, options);
        await server.UpAsync();
        return server;
    }

    public async Task UpAsync()
    {
        string[] words =
        [
            "netns", "exec", _host, "turnserver", "-n", "--log-file", "stdout", "--simple-log", "--listening-ip", _address, "--relay-ip", _address, "--listening-port", $"{Port}",
            "--no-tls", "--no-dtls", "--no-cli", "--pidfile", Path.Combine(_directory, "pid"), "--userdb", Path.Combine(_directory, "users"),
            "--lt-cred-mech", "--realm", "lab.example", "--user", $"{User}:{Password}", .. _options,
        ];
        _process = Process.Start(new ProcessStartInfo("ip", words) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false, WorkingDirectory = _directory })!;
        _ = _process.StandardOutput.ReadToEndAsync();
        _ = _process.StandardError.ReadToEndAsync();
        await Eventually.HoldsAsync(
            () => Task.FromResult(!_process.HasExited && Shell.Run("ip", "netns", "exec", _host, "cat", "/proc/net/udp").Contains($":{Port:X4} ", StringComparison.Ordinal)), "coturn listens", TimeSpan.FromMinutes(1));
    }

    public async Task KillAsync()
    {
        _process!.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await KillAsync();
        }

        Directory.Delete(_directory, recursive: true);
    }
}
