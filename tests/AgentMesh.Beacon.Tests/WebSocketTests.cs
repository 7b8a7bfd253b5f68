using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using AgentMesh.Beacon.Client;
using AgentMesh.Beacon.Web;
using AgentMesh.Errors;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport;
using AgentMesh.Transport.Names;
using AgentMesh.Transport.Tunnels;

namespace AgentMesh.Beacon.Tests;

/// <summary>Devices that reach a beacon by its WebSocket only, on loopback.</summary>
public sealed class WebSocketTests : IAsyncLifetime
{
    private readonly TestBeacon _beacon = new(web: TestBeacon.WithWebSockets);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _beacon.DisposeAsync();

    [Fact]
    public async Task Two_devices_without_UDP_exchange_a_megabyte_over_TLS_and_without_it()
    {
        await using var a = new TestDevice(_beacon.ByTls);
        await using var b = new TestDevice(_beacon.ByPlain);
        (MeshConnection ofA, MeshConnection ofB) = await ConnectAsync(a, b);
        Assert.Equal(("relay/wss", _beacon.ByTls.Name), (ofA.Path.Kind, ofA.Path.Via));
        Assert.True(a.Client.IsRegistered && a.Client.IsByWebSocket && a.Client.Observed is null);
        Assert.Equal(2, _beacon.Server.Web.Tunnels);
        await CarryAsync(ofA, ofB, 1 << 20);
    }

    [Fact]
    public async Task A_device_with_UDP_and_one_without_work_together()
    {
        await using var a = new TestDevice(_beacon.ByTls);
        await using var b = new TestDevice(_beacon.Place);
        (MeshConnection ofA, MeshConnection ofB) = await ConnectAsync(a, b);
        Assert.Equal(("relay/wss", "relay"), (ofA.Path.Kind, ofB.Path.Kind));
        await CarryAsync(ofB, ofA, 300_000);
        Assert.Equal(b.Endpoint.LocalAddresses[0], b.Client.Observed);
    }

    [Fact]
    public async Task UDP_that_answers_leaves_the_WebSocket_alone()
    {
        await using var a = new TestDevice(_beacon.Place with { WebSocket = _beacon.ByTls.WebSocket }, new BeaconClientSettings { Proxy = BeaconProxy.None, HeadStart = TestDevice.Patience });
        a.Client.Start();
        await Wait.UntilAsync(() => a.Client.IsRegistered, "it is registered");
        Assert.Equal((false, 0L, 0), (a.Client.IsByWebSocket, a.Client.WebSockets, _beacon.Server.Web.Tunnels));
    }

    [Fact]
    public async Task After_a_restart_of_the_beacon_the_same_connection_goes_on()
    {
        await using var a = new TestDevice(_beacon.ByTls);
        await using var b = new TestDevice(_beacon.ByTls);
        (MeshConnection ofA, MeshConnection ofB) = await ConnectAsync(a, b);
        await CarryAsync(ofA, ofB, 10_000);

        await _beacon.RestartAsync();

        await CarryAsync(ofA, ofB, 10_000);
        Assert.False(ofA.Closed.IsCompleted || ofB.Closed.IsCompleted);
    }

    [Fact]
    public async Task The_beacon_forgets_a_device_whose_WebSocket_is_gone()
    {
        var a = new TestDevice(_beacon.ByTls);
        a.Client.Start();
        await Wait.UntilAsync(() => a.Client.IsRegistered, "it is registered");
        Assert.Equal(1, _beacon.Server.Counters.Devices);
        await a.DisposeAsync();
        await Wait.UntilAsync(() => _beacon.Server.Counters.Devices == 0 && _beacon.Server.Web.Tunnels == 0, "nothing of it is left");
    }

    [Fact]
    public async Task A_beacon_with_another_key_is_refused_by_its_certificate_before_anything_is_said()
    {
        DevicePublicKey other = DeviceIdentity.Create(SystemEntropy.Instance).PublicKey;
        MeshException refused = await Assert.ThrowsAsync<MeshException>(() => BeaconWebSocket.ConnectAsync(_beacon.ByTls.WebSocket!, other, BeaconProxy.None, NameLookup.WithoutMemory, CancellationToken.None));
        Assert.Equal(BeaconErrors.NotTrusted, refused.Code);
    }

    [Fact]
    public async Task A_server_that_is_no_beacon_is_named_as_such()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task serving = Task.Run(async () =>
        {
            while (true)
            {
                using Socket socket = await listener.AcceptSocketAsync();
                await socket.SendAsync("HTTP/1.1 418 I'm a teapot\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray());
            }
        });
        var address = _beacon.ByTls with { WebSocket = new Uri($"ws://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/") };
        await using var a = new TestDevice(address, new BeaconClientSettings { Proxy = BeaconProxy.None, ConnectTimeout = TimeSpan.FromMilliseconds(500) });
        a.Client.Start();
        await Wait.UntilAsync(() => a.Client.Problem is not null, "it says why not");
        Assert.Equal(BeaconErrors.NoWebSocket, a.Client.Problem!.Code);
        Assert.Contains("418", a.Client.Problem.Message, StringComparison.Ordinal);
        listener.Stop();
        await Assert.ThrowsAnyAsync<Exception>(() => serving);
    }

    [Fact]
    public async Task Who_asks_for_anything_but_the_WebSocket_finds_nothing()
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        string root = $"http://127.0.0.1:{_beacon.Server.PlainAddresses[0].Port}/";
        foreach (string path in new[] { "", "metrics", "agentmesh", "../../etc/passwd" })
        {
            using HttpResponseMessage answer = await http.GetAsync(new Uri(root + path));
            Assert.Equal((HttpStatusCode.NotFound, 0), (answer.StatusCode, (await answer.Content.ReadAsByteArrayAsync()).Length));
            Assert.Empty(answer.Headers.Server);
        }

        using var other = new ClientWebSocket();
        other.Options.Proxy = null;
        other.Options.AddSubProtocol("chat");
        await Assert.ThrowsAsync<WebSocketException>(() => other.ConnectAsync(new Uri(root.Replace("http", "ws", StringComparison.Ordinal)), CancellationToken.None));
    }

    [Fact]
    public void A_certificate_is_proven_by_the_key_of_its_beacon_and_no_other()
    {
        DeviceIdentity beacon = DeviceIdentity.Create(SystemEntropy.Instance), other = DeviceIdentity.Create(SystemEntropy.Instance);
        using X509Certificate2 certificate = BeaconCertificate.Create(beacon, DateTimeOffset.UnixEpoch.AddYears(60));
        Assert.True(BeaconCertificate.IsProven(certificate, beacon.PublicKey));
        Assert.False(BeaconCertificate.IsProven(certificate, other.PublicKey));

        // The proof of one key does not prove another.
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=thief", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(certificate.Extensions.Single(extension => extension.RawData.Length == DeviceIdentity.SignatureBytes));
        using X509Certificate2 stolen = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        Assert.False(BeaconCertificate.IsProven(stolen, beacon.PublicKey));
    }

    [Fact]
    public void Files_that_are_no_certificate_are_refused_with_a_code()
    {
        MeshException refused = Assert.Throws<MeshException>(() => BeaconCertificate.Load("/nonexistent/a.pem", "/nonexistent/b.pem"));
        Assert.Equal(BeaconErrors.CertificateFiles, refused.Code);
    }

    [Fact]
    public async Task A_certificate_from_files_is_what_devices_are_shown()
    {
        string directory = Directory.CreateTempSubdirectory("am-pem-").FullName;
        using X509Certificate2 made = BeaconCertificate.Create(DeviceIdentity.Create(SystemEntropy.Instance), DateTimeOffset.UnixEpoch.AddYears(60));
        (string Certificate, string Key) files = (Path.Combine(directory, "c.pem"), Path.Combine(directory, "k.pem"));
        await File.WriteAllTextAsync(files.Certificate, made.ExportCertificatePem());
        await File.WriteAllTextAsync(files.Key, made.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        await using var beacon = new TestBeacon(web: TestBeacon.WithWebSockets with { Files = files });
        await using var a = new TestDevice(beacon.ByTls, new BeaconClientSettings { Proxy = BeaconProxy.None, ConnectTimeout = TimeSpan.FromMilliseconds(500) });
        a.Client.Start();
        await Wait.UntilAsync(() => a.Client.Problem is not null, "it says why not");
        Assert.True(a.Client.Problem!.Code == BeaconErrors.NotTrusted, a.Client.Problem.ToString());
        Assert.Contains(made.Subject, a.Client.Problem.Message, StringComparison.Ordinal);
        Directory.Delete(directory, recursive: true);
    }

    internal static async Task<(MeshConnection OfA, MeshConnection OfB)> ConnectAsync(TestDevice a, TestDevice b)
    {
        a.Client.Start();
        b.Client.Start();
        a.Admit(b);
        b.Admit(a);
        Task<MeshConnection> accepting = b.AcceptAsync();
        MeshConnection ofA = await a.ConnectAsync(b);
        return (ofA, await accepting);
    }

    internal static async Task CarryAsync(MeshConnection from, MeshConnection to, int bytes)
    {
        byte[] sent = new byte[bytes];
        new Random(bytes).NextBytes(sent);
        await using IMeshStream stream = await from.OpenStreamAsync(StreamPriority.Bulk, CancellationToken.None);
        Task writing = WriteAsync();
        using var limit = new CancellationTokenSource(TestDevice.Patience);
        await using IMeshStream arrived = (await to.AcceptStreamAsync(limit.Token))!;
        byte[] received = new byte[sent.Length];
        for (int at = 0; at < received.Length;)
        {
            int count = await arrived.ReadAsync(received.AsMemory(at), limit.Token);
            Assert.NotEqual(0, count);
            at += count;
        }

        await writing;
        Assert.Equal(sent, received);

        async Task WriteAsync()
        {
            await stream.WriteAsync(sent, CancellationToken.None);
            await stream.CompleteWritesAsync();
        }
    }
}
