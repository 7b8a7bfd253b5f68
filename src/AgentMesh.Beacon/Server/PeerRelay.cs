using System.Net;
using AgentMesh.Beacon.Core;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport;
using AgentMesh.Transport.Relaying;

namespace AgentMesh.Beacon.Server;

/// <summary>
/// A device that relays for others of its mesh, at its own endpoint: the frames and envelopes of a beacon, on a stream of the connections that it has with them anyway
/// (beacon-v1.md, "Devices that relay"). Thread-safe.
/// </summary>
public sealed class PeerRelay : IRelay, IAsyncDisposable
{
    /// <summary>The service that its streams name.</summary>
    public const string Service = "relay";

    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly MeshEndpoint _endpoint;
    private readonly GuestHall _hall;
    private readonly Func<MeshConnection, bool> _mayUse;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private Task _ticking = Task.CompletedTask;

    /// <param name="mayUse">Whether it relays for the device of a connection, by its connection as it is now.</param>
    public PeerRelay(MeshEndpoint endpoint, DeviceIdentity identity, BeaconLimits limits, Func<MeshConnection, bool> mayUse, TimeProvider time)
    {
        _endpoint = endpoint;
        _mayUse = mayUse;
        _time = time;
        _hall = new GuestHall(limits, ChannelIds.Of(identity, SystemEntropy.Instance), (datagram, to) => endpoint.Send(datagram, to), time);
    }

    public BeaconCounters Counters => _hall.Counters;

    public void Start()
    {
        _endpoint.RelayWith(this);
        _ticking = TickAsync();
    }

    /// <summary>Serves a stream of a device of the mesh.</summary>
    public async Task ServeAsync(IMeshConnection connection, IMeshStream stream, CancellationToken cancellationToken)
    {
        // A path that is itself relayed would be a circle.
        if (connection is not MeshConnection { Path.Kind: MeshPathInfo.Direct } direct || !_mayUse(direct) || _hall.TryEnter(direct.RemoteId, direct.Path.Remote, source: null) is not { } guest)
        {
            stream.Abort(BeaconCodes.NotAdmitted);
            return;
        }

        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
        direct.PathChanged += OnMoved;
        try
        {
            OnMoved(direct);
            await _hall.TalkAsync(guest, stream, direct.Closed, over.Token).ConfigureAwait(false);
        }
        finally
        {
            direct.PathChanged -= OnMoved;
            _hall.Leave(guest);
            stream.Abort(BeaconCodes.NotAdmitted);
        }

        void OnMoved(MeshConnection moved)
        {
            MeshPathInfo path = moved.Path;
            if (path.Kind == MeshPathInfo.Direct)
            {
                _hall.Moved(guest, path.Remote);
            }
            else
            {
                stream.Abort(BeaconCodes.NotAdmitted);
            }
        }
    }

    public void Relay(Span<byte> envelope, IPEndPoint from)
    {
        int length = _hall.Relay(envelope, from, out IPEndPoint to);
        if (length > 0)
        {
            _endpoint.Send(envelope[..length], to);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _ticking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _hall.Dispose();
        _stop.Dispose();
    }

    private async Task TickAsync()
    {
        while (true)
        {
            await Task.Delay(Tick, _time, _stop.Token).ConfigureAwait(false);
            _hall.HandleTimeout();
        }
    }
}
