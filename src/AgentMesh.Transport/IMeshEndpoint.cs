using System.Net;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Transport;

/// <summary>
/// One device's presence on the network: one UDP socket per address family for all peers. Thread-safe.
/// Connections reach <see cref="AcceptAsync"/> only after the remote key was admitted by the handshake.
/// </summary>
public interface IMeshEndpoint : IAsyncDisposable
{
    DeviceId LocalId { get; }

    /// <summary>The addresses the sockets are bound to, with the real ports.</summary>
    IReadOnlyList<IPEndPoint> LocalAddresses { get; }

    /// <summary>
    /// A connection to the device that owns <paramref name="key"/>, tried at all addresses at once; an existing live connection is returned as it is.
    /// </summary>
    /// <exception cref="Errors.MeshException">AM01xx: not reachable within the deadline, or refused.</exception>
    ValueTask<IMeshConnection> ConnectAsync(DevicePublicKey key, IReadOnlyList<IPEndPoint> addresses, CancellationToken cancellationToken);

    /// <summary>The next connection that a remote device opened; null after disposal.</summary>
    ValueTask<IMeshConnection?> AcceptAsync(CancellationToken cancellationToken);
}

/// <summary>An authenticated, encrypted association with one remote device. At most one is live per pair of devices.</summary>
public interface IMeshConnection
{
    DevicePublicKey RemoteKey { get; }

    DeviceId RemoteId { get; }

    /// <summary>True where this device opened the connection.</summary>
    bool IsInitiator { get; }

    MeshPathInfo Path { get; }

    /// <summary>Every way to the other device that is known, the one in use first; at most 8.</summary>
    IReadOnlyList<MeshPathState> Paths => [new MeshPathState(Path, MeshPathRole.InUse)];

    /// <summary>A round trip by one of <see cref="Paths"/>, which changes nothing about which one is in use.</summary>
    /// <returns>Null where no answer came before <paramref name="cancellationToken"/> said to give up.</returns>
    ValueTask<TimeSpan?> MeasureAsync(MeshPathState path, CancellationToken cancellationToken) => ValueTask.FromResult<TimeSpan?>(null);

    ValueTask<IMeshStream> OpenStreamAsync(StreamPriority priority, CancellationToken cancellationToken);

    /// <summary>The next stream that the remote side opened; null once the connection is closed.</summary>
    ValueTask<IMeshStream?> AcceptStreamAsync(CancellationToken cancellationToken);

    /// <summary>Says goodbye and releases everything. Streams that are open end with a reset.</summary>
    ValueTask CloseAsync(ulong code, string reason);

    /// <summary>Completes, never faults, when the connection is gone, whatever ended it.</summary>
    Task<ConnectionEnd> Closed { get; }
}

/// <summary>A reliable, ordered, bidirectional, flow-controlled stream of bytes. One reader and one writer at a time.</summary>
public interface IMeshStream : IAsyncDisposable
{
    ulong Id { get; }

    StreamPriority Priority { get; }

    /// <summary>Returns 0 at the end of the stream.</summary>
    /// <exception cref="StreamAbortedException">The remote side reset the stream or the connection ended.</exception>
    ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Completes when the bytes were taken into the send buffer, which waits for flow control. The buffer is the caller's again.</summary>
    ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken);

    /// <summary>No more bytes from this side; reading goes on.</summary>
    ValueTask CompleteWritesAsync();

    /// <summary>Ends both directions at once with an application code.</summary>
    void Abort(ulong code);
}

/// <summary>Control is never behind ordinary traffic, ordinary never behind bulk.</summary>
public enum StreamPriority : byte
{
    Control = 0,
    Ordinary = 1,
    Bulk = 2,
}

/// <param name="RoundTrip">Smoothed; null before the first measurement.</param>
/// <param name="LossRatio">0..1 of the packets sent in the last window; null when unknown.</param>
/// <param name="Kind">direct, relay, relay/wss (to a beacon over a WebSocket), relay/peer (by another device of the mesh), relay/turn (by a TURN server), or tunnel (a WebSocket to a beacon itself).</param>
/// <param name="Remote">Where packets are sent; for a relay it stands for the channel and means nothing to others.</param>
/// <param name="Via">The name of the beacon or device that relays; null where the path is direct.</param>
public readonly record struct MeshPathInfo(string Kind, IPEndPoint Remote, TimeSpan? RoundTrip, double? LossRatio, int MaxPayloadBytes, string? Via = null)
{
    public const string Direct = "direct";
    public const string Relay = "relay";
    public const string RelayByWebSocket = "relay/wss";
    public const string RelayByPeer = "relay/peer";
    public const string RelayByTurn = "relay/turn";
    public const string Tunnel = "tunnel";

    public bool IsRelayed => Kind.StartsWith(Relay, StringComparison.Ordinal);

    /// <summary>For people: an address, or who relays.</summary>
    public string Place => Via ?? Remote.ToString();

    /// <summary>For people: "direct", or "relay via" the beacon.</summary>
    public string Description => Via is null ? Kind : $"{Kind} via {Via}";
}

/// <param name="Code">0 for a clean goodbye.</param>
public readonly record struct ConnectionEnd(bool ByRemote, ulong Code, string Reason);

public sealed class StreamAbortedException(ulong code, string message) : IOException(message)
{
    public ulong Code { get; } = code;
}
