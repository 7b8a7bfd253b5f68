using System.Net;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport;

namespace Benchmarks;

/// <summary>Two endpoints on loopback that know each other, with one bulk and one control stream between them.</summary>
internal sealed class MeshPair : IAsyncDisposable
{
    private readonly MeshEndpoint _a;
    private readonly MeshEndpoint _b;

    private MeshPair(MeshEndpoint a, MeshEndpoint b)
    {
        _a = a;
        _b = b;
    }

    public IMeshConnection Connection { get; private set; } = null!;

    public IMeshStream Bulk { get; private set; } = null!;

    public IMeshStream BulkRemote { get; private set; } = null!;

    public IMeshStream Small { get; private set; } = null!;

    public IMeshStream SmallRemote { get; private set; } = null!;

    /// <param name="datagramBytes">Greatest datagram; null: what the path is found to carry.</param>
    public static async Task<MeshPair> ConnectAsync(Wire wire, int? datagramBytes = null)
    {
        DeviceIdentity one = DeviceIdentity.Create(SystemEntropy.Instance), other = DeviceIdentity.Create(SystemEntropy.Instance);
        var settings = new MeshEndpointSettings();
        settings = datagramBytes is { } bytes ? settings with { Mtu = MtuSettings.Fixed(bytes) } : settings;
        MeshEndpoint a = wire.At(near: true, () => Open(one, other, wire.Near)), b = wire.At(near: false, () => Open(other, one, wire.Far));
        var pair = new MeshPair(a, b);
        IMeshConnection dialled = await a.ConnectAsync(other.PublicKey, [b.LocalAddresses[0]], CancellationToken.None);
        IMeshConnection accepted = (await b.AcceptAsync(CancellationToken.None))!;
        (pair.Bulk, pair.BulkRemote) = await OpenAsync(dialled, accepted, StreamPriority.Bulk);
        (pair.Small, pair.SmallRemote) = await OpenAsync(dialled, accepted, StreamPriority.Control);
        pair.Connection = dialled;
        return pair;

        MeshEndpoint Open(DeviceIdentity self, DeviceIdentity peer, IPAddress at) => MeshEndpoint.Open(
            self, new Guests(peer.PublicKey), new InitiationStamps(0, null), settings with { Listen = [new IPEndPoint(at, 0)] }, SystemEntropy.Instance, TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        await _a.DisposeAsync();
        await _b.DisposeAsync();
    }

    private static async Task<(IMeshStream, IMeshStream)> OpenAsync(IMeshConnection from, IMeshConnection to, StreamPriority priority)
    {
        IMeshStream ours = await from.OpenStreamAsync(priority, CancellationToken.None);
        await ours.WriteAsync(new byte[1], CancellationToken.None);
        IMeshStream theirs = (await to.AcceptStreamAsync(CancellationToken.None))!;
        await theirs.ReadAsync(new byte[1], CancellationToken.None);
        return (ours, theirs);
    }
}
