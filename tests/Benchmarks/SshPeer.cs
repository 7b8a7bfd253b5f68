using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Benchmarks;

/// <summary>An OpenSSH server of its own on loopback, with a control master that stays open.</summary>
internal sealed class SshPeer : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("am-bench-ssh-").FullName;
    private readonly int _port;
    private Process? _server;
    private Process? _master;

    private SshPeer()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        _port = ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private string Socket => Path.Combine(_directory, "master");

    /// <summary>Null, with the reason, where it cannot run.</summary>
    public static async Task<(SshPeer? Peer, string? Why)> StartAsync()
    {
        if (!File.Exists("/usr/sbin/sshd"))
        {
            return (null, "openssh-server is not installed");
        }

        var peer = new SshPeer();
        try
        {
            Directory.CreateDirectory("/run/sshd");
            Run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(peer._directory, "host"));
            Run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(peer._directory, "user"));
            File.Copy(Path.Combine(peer._directory, "user.pub"), Path.Combine(peer._directory, "authorized"));
            peer._server = Process.Start(new ProcessStartInfo("/usr/sbin/sshd",
            [
                "-D", "-f", "/dev/null", "-h", Path.Combine(peer._directory, "host"), "-p", peer._port.ToString(CultureInfo.InvariantCulture), "-o", "ListenAddress=127.0.0.1",
                "-o", $"AuthorizedKeysFile={Path.Combine(peer._directory, "authorized")}", "-o", "StrictModes=no", "-o", "PermitRootLogin=yes", "-o", "PidFile=none", "-o", "UsePAM=no",
            ])
            { RedirectStandardError = true })!;
            await Task.Delay(500);
            peer._master = Process.Start(new ProcessStartInfo("ssh", [.. peer.Options, "-M", "-N", "127.0.0.1"]) { RedirectStandardError = true, RedirectStandardInput = true })!;
            for (int i = 0; i < 50 && !File.Exists(peer.Socket); i++)
            {
                await Task.Delay(100);
            }

            if (!File.Exists(peer.Socket))
            {
                string error = peer._master.HasExited ? peer._master.StandardError.ReadToEnd() : "no control socket appeared";
                peer.Dispose();
                return (null, error.Trim());
            }

            return (peer, null);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            peer.Dispose();
            return (null, error.Message);
        }
    }

    private string[] Options =>
    [
        "-F", "/dev/null", "-p", _port.ToString(CultureInfo.InvariantCulture), "-i", Path.Combine(_directory, "user"), "-o", $"ControlPath={Socket}", "-o", "StrictHostKeyChecking=no",
        "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes",
    ];

    public string RunCommand(string command)
    {
        using Process process = Process.Start(new ProcessStartInfo("ssh", [.. Options, "127.0.0.1", command]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }

    public void Dispose()
    {
        foreach (Process? process in (Process?[])[_master, _server])
        {
            if (process is { HasExited: false })
            {
                process.Kill(entireProcessTree: true);
                process.WaitForExit();
            }

            process?.Dispose();
        }

        Directory.Delete(_directory, recursive: true);
    }

    private static void Run(string program, params string[] words)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, words) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} failed: {process.StandardError.ReadToEnd()}");
        }
    }
}
