using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using AgentMesh.Node.Control;
using Scenarios.Harness;
using Xunit.Abstractions;

namespace Scenarios;

/// <summary>Two devices in networks that let no UDP out, and a beacon that they reach over TCP.</summary>
[Collection(Alone.Name)]
public sealed class UdpBlockedTests(ITestOutputHelper output)
{
    private const string BeaconAddress = "203.0.113.10";
    private const string ProxyAddress = "203.0.113.20";
    private const string Registered = "over a WebSocket";

    [SkippableFact]
    public async Task Devices_that_are_left_only_TCP_443_work_together_are_back_at_once_after_the_beacon_was_and_go_back_to_UDP()
    {
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        await using Walled pair = await Walled.PairedAsync(lab, beaconOptions: []);
        await pair.GoHomeAsync(NatKind.OnlyTcpTo(BeaconAddress, 443));

        await ConnectsAsync(pair);
        await IsBackAsync(pair);

        int starts = pair.A.Count("listening on UDP");
        lab.Rebuild(pair.A.Namespace!, NatKind.PortRestrictedCone());
        lab.Rebuild(pair.B.Namespace!, NatKind.PortRestrictedCone());
        await Eventually.HoldsAsync(
            async () => (await pair.BeaconOfAsync(pair.A)).Transport == "udp" && (await pair.BeaconOfAsync(pair.B)).Transport == "udp", "both reach the beacon by UDP", TimeSpan.FromMinutes(3));
        await Eventually.HoldsAsync(async () => (await Walled.PeerOfAsync(pair.A)).Path == "direct", "the path is direct", TimeSpan.FromMinutes(2));
        Assert.Equal("42\n", (await pair.B.RunAsync("--timeout", "60s", "@a", "calc", "6*7")).Out);
        Assert.Equal(starts, pair.A.Count("listening on UDP"));
    }

    [SkippableFact]
    public async Task Devices_that_are_left_only_an_HTTP_proxy_work_together_through_it()
    {
        Skip.IfNot(Shell.Has("tinyproxy"), "tinyproxy (Debian package tinyproxy) is not installed");
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        await using Walled pair = await Walled.PairedAsync(lab, beaconOptions: []);
        string host = lab.Host("proxy", ProxyAddress), log = Path.Combine(pair.Directory, "proxy.log"), conf = Path.Combine(pair.Directory, "proxy.conf");
        File.WriteAllText(log, "");
        File.WriteAllText(conf, $"Port 3128\nListen {ProxyAddress}\nTimeout 600\nMaxClients 50\nConnectPort 443\nBasicAuth mesh pass-8181\nLogFile \"{log}\"\nLogLevel Connect\n");
        using Process proxy = Process.Start(new ProcessStartInfo("ip", ["netns", "exec", host, "tinyproxy", "-d", "-c", conf]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            // One names it in its settings, the other has it in its environment.
            await File.AppendAllTextAsync(Path.Combine(pair.A.Data, "agentmesh.conf"), $"\nagentmesh.beacon.proxy = \"http://mesh:pass-8181@{ProxyAddress}:3128\"\n");
            pair.B.Environment["HTTPS_PROXY"] = $"http://mesh:pass-8181@{ProxyAddress}:3128";
            await pair.GoHomeAsync(NatKind.OnlyTcpTo(ProxyAddress, 3128));

            await ConnectsAsync(pair);
            await IsBackAsync(pair);
            Assert.Contains($"CONNECT {BeaconAddress}:443", await File.ReadAllTextAsync(log), StringComparison.Ordinal);
            foreach (TestNode node in new[] { pair.A, pair.B })
            {
                Assert.DoesNotContain("pass-8181", await File.ReadAllTextAsync(Path.Combine(node.Data, "node.log")), StringComparison.Ordinal);
            }
        }
        finally
        {
            proxy.Kill(entireProcessTree: true);
            await proxy.WaitForExitAsync();
        }
    }

    [SkippableFact]
    public async Task A_reverse_proxy_may_terminate_TLS_in_front_of_the_beacon()
    {
        Skip.IfNot(Shell.Has("nginx"), "nginx (Debian package nginx) is not installed");
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        await using Walled pair = await Walled.PairedAsync(lab, ["--https", "none", "--http", "127.0.0.1:8443"], $",wss://{BeaconAddress}/mesh");
        string authority = WriteCertificate(pair.Directory);
        string conf = Path.Combine(pair.Directory, "nginx.conf");
        File.WriteAllText(conf, $$"""
            daemon off; pid {{pair.Directory}}/nginx.pid; error_log {{pair.Directory}}/nginx.log; user root;
            events { worker_connections 256; }
            http {
              access_log off; client_body_temp_path {{pair.Directory}}; proxy_temp_path {{pair.Directory}}; fastcgi_temp_path {{pair.Directory}}; uwsgi_temp_path {{pair.Directory}}; scgi_temp_path {{pair.Directory}};
              server {
                listen {{BeaconAddress}}:443 ssl; ssl_certificate {{authority}}; ssl_certificate_key {{pair.Directory}}/key.pem;
                location /mesh {
                  proxy_pass http://127.0.0.1:8443; proxy_http_version 1.1; proxy_buffering off; proxy_read_timeout 1h;
                  proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";
                }
              }
            }
            """);
        using Process nginx = Process.Start(new ProcessStartInfo("ip", ["netns", "exec", pair.Beacon.Namespace, "nginx", "-e", $"{pair.Directory}/nginx.log", "-p", pair.Directory, "-c", conf]))!;
        try
        {
            pair.A.Environment["SSL_CERT_FILE"] = pair.B.Environment["SSL_CERT_FILE"] = authority;
            await pair.GoHomeAsync(NatKind.OnlyTcpTo(BeaconAddress, 443));
            Assert.Equal("3\n", (await pair.A.RunAsync("--timeout", "60s", "@b", "calc", "1+2")).Out);
            Assert.Equal("42\n", (await pair.B.RunAsync("--timeout", "60s", "@a", "calc", "6*7")).Out);
            await pair.SaysSoAsync();
        }
        finally
        {
            nginx.Kill(entireProcessTree: true);
            await nginx.WaitForExitAsync();
        }
    }

    /// <summary>They reach the beacon within 3 s and work together.</summary>
    private async Task ConnectsAsync(Walled pair)
    {
        var bars = new Bars(output);
        int round = 0;
        await bars.HoldAsync("registered, from when there is a socket", TimeSpan.FromSeconds(3), async () =>
        {
            int lines = 0;
            if (round++ > 0)
            {
                lines = pair.A.Count(Registered);
                Assert.Equal(0, (await pair.A.RunAsync("down")).Code);
                await pair.A.UpAsync();
            }

            await pair.A.LoggedAsync(Registered, lines);
            return pair.A.TimeOf(Registered) - pair.A.TimeOf("listening on UDP");
        });
        Assert.Equal("3\n", (await pair.A.RunAsync("--timeout", "60s", "@b", "calc", "1+2")).Out);
        Assert.Equal("42\n", (await pair.B.RunAsync("--timeout", "60s", "@a", "calc", "6*7")).Out);
        await pair.SaysSoAsync();
        bars.AllHeld();
    }

    /// <summary>A beacon that is killed and started again has both of them back within 2 s, and was not knocked at all the time.</summary>
    private async Task IsBackAsync(Walled pair)
    {
        var bars = new Bars(output);
        await bars.HoldAsync("back, from when the beacon was there again", TimeSpan.FromSeconds(2), async () =>
        {
            BeaconView before = await pair.BeaconOfAsync(pair.A);
            int lines = pair.A.Count(Registered), others = pair.B.Count(Registered);
            await pair.Beacon.KillAsync();
            var away = Stopwatch.StartNew();
            long sent = PacketsOf(pair.A);
            await Task.Delay(3_000);
            double perSecond = (PacketsOf(pair.A) - sent) / away.Elapsed.TotalSeconds;
            await pair.Beacon.UpAsync();
            DateTimeOffset up = DateTimeOffset.UtcNow;
            await pair.A.LoggedAsync(Registered, lines);
            await pair.B.LoggedAsync(Registered, others);
            BeaconView after = await pair.BeaconOfAsync(pair.A);
            output.WriteLine($"{after.WebSockets - before.WebSockets} WebSockets tried; {perSecond:0.0} packets a second while the beacon was away");

            // As long as the machine took to start the beacon; busy would be hundreds.
            Assert.InRange(after.WebSockets - before.WebSockets, 1, 30);
            Assert.InRange(perSecond, 0, 50);
            TimeSpan ofA = pair.A.TimeOf(Registered) - up, ofB = pair.B.TimeOf(Registered) - up;
            return ofA > ofB ? ofA : ofB;
        });
        Assert.Equal("43\n", (await pair.A.RunAsync("--timeout", "60s", "@b", "calc", "6*7+1")).Out);
        bars.AllHeld();
    }

    private static long PacketsOf(TestNode node) =>
        long.Parse(Shell.Run("ip", "netns", "exec", node.Namespace!, "cat", "/sys/class/net/lan/statistics/tx_packets"), CultureInfo.InvariantCulture);

    private static string WriteCertificate(string directory)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=nginx of a test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Parse(BeaconAddress));
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        File.WriteAllText(Path.Combine(directory, "key.pem"), key.ExportPkcs8PrivateKeyPem());
        string file = Path.Combine(directory, "certificate.pem");
        File.WriteAllText(file, certificate.ExportCertificatePem());
        return file;
    }

    /// <summary>Devices that were paired on the internet's own network and then went behind walls.</summary>
    private sealed class Walled : IAsyncDisposable
    {
        private readonly NatLab _lab;

        private Walled(NatLab lab, TestBeacon beacon)
        {
            _lab = lab;
            Beacon = beacon;
            A = new TestNode("a") { Namespace = lab.Internet, Listen = "0.0.0.0" };
            B = new TestNode("b") { Namespace = lab.Internet, Listen = "0.0.0.0" };
        }

        public TestBeacon Beacon { get; }

        public TestNode A { get; }

        public TestNode B { get; }

        public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("am-wall-").FullName;

        /// <param name="behind">What devices have behind the beacon's key; null for what it prints.</param>
        public static async Task<Walled> PairedAsync(NatLab lab, string[] beaconOptions, string? behind = null)
        {
            TestBeacon beacon = await TestBeacon.StartAsync(lab.Host("beacon", BeaconAddress), BeaconAddress, beaconOptions);
            var pair = new Walled(lab, beacon);
            string setting = behind is null ? beacon.Setting : beacon.Setting.Replace("\"]", behind + "\"]", StringComparison.Ordinal);
            foreach (TestNode node in new[] { pair.A, pair.B })
            {
                File.WriteAllText(Path.Combine(node.Data, "agentmesh.conf"), $"agentmesh {{ {setting}, discovery.lan.enabled = off }}\n");
                await node.UpAsync();
            }

            await pair.A.PairWithAsync(pair.B);
            foreach (TestNode node in new[] { pair.A, pair.B })
            {
                Assert.Equal(0, (await node.RunAsync("down")).Code);
                File.Delete(Path.Combine(node.Data, "node.log"));
            }

            return pair;
        }

        public async Task GoHomeAsync(string wall)
        {
            A.Namespace = _lab.Home("a", wall);
            B.Namespace = _lab.Home("b", wall);
            await A.UpAsync();
            await B.UpAsync();
        }

        public static async Task<PeerView> PeerOfAsync(TestNode node) => (await node.PeersAsync()).Single(peer => !peer.IsLocal);

        public async Task<BeaconView> BeaconOfAsync(TestNode node) => (await node.StatusAsync()).Beacons!.Single();

        /// <summary>Peers, status and doctor tell how it is.</summary>
        public async Task SaysSoAsync()
        {
            await Eventually.HoldsAsync(async () => (await PeerOfAsync(A)).Path?.StartsWith("relay/wss via ", StringComparison.Ordinal) == true, "peers shows the path", TimeSpan.FromMinutes(1));
            PeerView peer = await PeerOfAsync(A);
            Assert.Equal("udp-blocked", peer.RelayedCode);
            Assert.StartsWith("UDP blocked", peer.RelayedReason, StringComparison.Ordinal);
            Assert.Equal("wss", (await BeaconOfAsync(A)).Transport);
            Assert.Contains("by WebSocket (UDP blocked)", (await A.RunAsync("status")).Out, StringComparison.Ordinal);
            Assert.Contains("UDP blocked", (await A.RunAsync("doctor")).Out, StringComparison.Ordinal);
        }

        public async ValueTask DisposeAsync()
        {
            await A.DisposeAsync();
            await B.DisposeAsync();
            await Beacon.DisposeAsync();
            System.IO.Directory.Delete(Directory, recursive: true);
        }
    }
}

internal static class NodeLog
{
    /// <summary>Lines of the node's log that hold a text.</summary>
    public static int Count(this TestNode node, string text) => Lines(node, text).Length;

    /// <summary>When the last of them was written.</summary>
    public static DateTimeOffset TimeOf(this TestNode node, string text) => DateTimeOffset.Parse(Lines(node, text)[^1].Split(' ')[0], CultureInfo.InvariantCulture);

    /// <summary>Waits until there are more than so many of them.</summary>
    public static Task LoggedAsync(this TestNode node, string text, int than) =>
        Eventually.HoldsAsync(() => Task.FromResult(node.Count(text) > than), () => $"{node.Name} logs '{text}'", TimeSpan.FromMinutes(2));

    private static string[] Lines(TestNode node, string text)
    {
        using var file = new FileStream(Path.Combine(node.Data, "node.log"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        return [.. reader.ReadToEnd().Split('\n').Where(line => line.Contains(text, StringComparison.Ordinal))];
    }
}
