using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Scenarios.Harness;

/// <summary>Debian's coturn in a namespace, with one user, and everything it writes in a directory that goes with the test.</summary>
internal sealed class TestTurnServer : IAsyncDisposable
{
    public const string User = "mesh";
    public const string Password = "correct-horse";
    public const int Port = 3478;
    public const int SecurePort = 5349;

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
    public string Setting(string passwordFile, string password = Password) => Setting(passwordFile, $"turn:{_address}", "", password);

    /// <param name="url">With ADDRESS for its address.</param>
    /// <param name="rest">Further keys.</param>
    public string Setting(string passwordFile, string url, string rest, string password = Password)
    {
        File.WriteAllText(passwordFile, password + "\n");
        return $"turn.servers = [{{ url = \"{url.Replace("ADDRESS", _address, StringComparison.Ordinal)}\", user = {User}, password-file = \"{passwordFile}\"{rest} }}]";
    }

    /// <summary>Its own certificate, which nobody trusts unasked.</summary>
    public string Certificate => Path.Combine(_directory, "certificate.pem");

    public static async Task<TestTurnServer> StartAsync(string host, string address, params string[] options)
    {
        var server = new TestTurnServer(host, address, options);
        server.WriteCertificate();
        await server.UpAsync();
        return server;
    }

    public async Task UpAsync()
    {
        string[] words =
        [
            "netns", "exec", _host, "turnserver", "-n", "--log-file", "stdout", "--simple-log", "--listening-ip", _address, "--relay-ip", _address, "--listening-port", $"{Port}",
            "--cert", Certificate, "--pkey", Path.Combine(_directory, "key.pem"), "--tls-listening-port", $"{SecurePort}", "--no-dtls", "--no-cli", "--pidfile", Path.Combine(_directory, "pid"), "--userdb", Path.Combine(_directory, "users"),
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

    private void WriteCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=coturn of a test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Parse(_address));
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        File.WriteAllText(Path.Combine(_directory, "key.pem"), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Certificate, certificate.ExportCertificatePem());
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
