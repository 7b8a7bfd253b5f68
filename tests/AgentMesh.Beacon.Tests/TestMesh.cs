using System.Collections.Concurrent;
using System.Net;
using AgentMesh.Beacon.Client;
using AgentMesh.Beacon.Core;
using AgentMesh.Beacon.Server;
using AgentMesh.Beacon.Web;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;
using AgentMesh.Transport;
using AgentMesh.Transport.Names;
using AgentMesh.Transport.Relaying;

namespace AgentMesh.Beacon.Tests;

/// <summary>A real beacon on loopback, in a directory that goes with the test.</summary>
internal sealed class TestBeacon : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("am-beacon-").FullName;
    private BeaconServer _server;

    private readonly string? _admission;
    private readonly BeaconWebSettings _web;

    public TestBeacon(BeaconLimits? limits = null, bool hasList = false, BeaconWebSettings? web = null)
    {
        _admission = hasList ? Path.Combine(_directory, "admitted") : null;
        _web = web ?? new BeaconWebSettings();
        Admit();
        _server = Start(limits, 0, _web);
    }

    /// <summary>One with a WebSocket over TLS and one without, on loopback.</summary>
    public static BeaconWebSettings WithWebSockets { get; } = new() { Tls = [new IPEndPoint(IPAddress.Loopback, 0)], Plain = [new IPEndPoint(IPAddress.Loopback, 0)] };

    /// <summary>Writes the list of admitted devices, where there is one.</summary>
    public void Admit(params DeviceId[] devices)
    {
        if (_admission is not null)
        {
            DateTime before = File.GetLastWriteTimeUtc(_admission);
            File.WriteAllLines(_admission, devices.Select(device => device.ToString()));
            File.SetLastWriteTimeUtc(_admission, before.AddSeconds(1));
        }
    }

    public BeaconServer Server => _server;

    public IPEndPoint Address => _server.Addresses[0];

    public BeaconAddress Place => new("127.0.0.1", Address.Port, _server.PublicKey) { WebSocket = null };

    /// <summary>By its WebSockets only: nobody listens at the UDP port.</summary>
    public BeaconAddress ByTls => new("127.0.0.1", 9, _server.PublicKey) { WebSocket = new Uri($"wss://127.0.0.1:{_server.TlsAddresses[0].Port}/") };

    public BeaconAddress ByPlain => ByTls with { WebSocket = new Uri($"ws://127.0.0.1:{_server.PlainAddresses[0].Port}/any/path") };

    /// <summary>As after a crash: the same identity and port, and nothing known of before.</summary>
    public async Task RestartAsync()
    {
        int port = Address.Port;
        BeaconWebSettings web = _web with { Tls = _server.TlsAddresses, Plain = _server.PlainAddresses };
        await _server.DisposeAsync();
        _server = Start(null, port, web);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private BeaconServer Start(BeaconLimits? limits, int port, BeaconWebSettings web) => BeaconServer.StartAsync(
        new BeaconSettings { DataDirectory = _directory, Listen = [new IPEndPoint(IPAddress.Loopback, port)], Limits = limits ?? new BeaconLimits(), AdmissionFile = _admission, Web = web }, TimeProvider.System).GetAwaiter().GetResult();
}

/// <summary>A device with a real endpoint on loopback that knows others by key only.</summary>
internal sealed class TestDevice : IAdmission, IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<DeviceId, DevicePublicKey> _admitted = new();
    private readonly DeviceIdentity _identity = DeviceIdentity.Create(SystemEntropy.Instance);

    public TestDevice(BeaconAddress beacon, BeaconClientSettings? settings = null, NameLookup? names = null)
    {
        Endpoint = MeshEndpoint.Open(_identity, this, new InitiationStamps(0, null), new MeshEndpointSettings { Listen = [new IPEndPoint(IPAddress.Loopback, 0)] }, SystemEntropy.Instance, TimeProvider.System);
        Client = new BeaconClient(Endpoint, beacon, () => _admitted.Keys, () => [], settings ?? new BeaconClientSettings { Proxy = BeaconProxy.None }, names ?? NameLookup.WithoutMemory, TimeProvider.System);
    }

    public MeshEndpoint Endpoint { get; }

    public BeaconClient Client { get; }

    public DeviceId Id => _identity.Id;

    public DevicePublicKey Key => _identity.PublicKey;

    public void Admit(TestDevice other)
    {
        _admitted[other.Id] = other.Key;
        Client.Refresh();
    }

    /// <summary>Waits for a way to the other one.</summary>
    public async Task<RelayChannel> WayToAsync(TestDevice other)
    {
        await Wait.UntilAsync(() => Endpoint.Relays.To(other.Id).Count > 0, "a channel is there");
        return Endpoint.Relays.To(other.Id)[0];
    }

    public async Task<MeshConnection> ConnectAsync(TestDevice other)
    {
        using var limit = new CancellationTokenSource(Patience);
        return (MeshConnection)await Endpoint.ConnectAsync(other.Key, [(await WayToAsync(other)).Address], limit.Token);
    }

    public async Task<MeshConnection> AcceptAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        return (MeshConnection)(await Endpoint.AcceptAsync(limit.Token))!;
    }

    /// <summary>Keys that are listed under another id.</summary>
    public ConcurrentDictionary<DeviceId, DeviceId> Listed { get; } = new();

    public DeviceId ListedAs(DeviceId keyId) => Listed.GetValueOrDefault(keyId) is { IsNone: false } listed ? listed : keyId;

    public bool IsAdmitted(DevicePublicKey key) => _admitted.ContainsKey(key.Id);

    public InvitationLookup FindInvitation(InvitationId id, DateTimeOffset now) => new(InvitationStatus.Unknown, default);

    public bool TryTakeInvitation(InvitationId id, DevicePublicKey by, DateTimeOffset now) => false;

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Endpoint.DisposeAsync();
    }
}

internal static class Wait
{
    public static async Task UntilAsync(Func<bool> reached, string what)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!reached())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TestDevice.Patience, $"it did not happen: {what}");
            await Task.Delay(10);
        }
    }
}
