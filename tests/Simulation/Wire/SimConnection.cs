using System.Threading.Channels;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport;

namespace Simulation.Wire;

/// <summary>
/// One end of a connection. What is sent arrives once and in order, later where the line is cut meanwhile, and not at all when an end has given the other up.
/// </summary>
internal sealed class SimConnection : IMeshConnection
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(0.05);

    private readonly SimWire _wire;
    private readonly Channel<IMeshStream> _accepted = Channel.CreateUnbounded<IMeshStream>();
    private readonly TaskCompletionSource<ConnectionEnd> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<ulong, SimStream> _streams = [];
    private readonly Queue<Action> _underWay = new();
    private TimeSpan _lastArrival;
    private TimeSpan _heard;
    private ulong _nextId;

    public SimConnection(SimWire wire, SimEndpoint owner, DevicePublicKey remote, bool isInitiator)
    {
        _wire = wire;
        Owner = owner;
        RemoteKey = remote;
        RemoteId = remote.Id;
        IsInitiator = isInitiator;
        _nextId = isInitiator ? 0UL : 1UL;
        _heard = wire.Loop.Now;
        Look();
    }

    public SimEndpoint Owner { get; }

    public SimConnection Other { get; private set; } = null!;

    public DevicePublicKey RemoteKey { get; }

    public DeviceId RemoteId { get; }

    public bool IsInitiator { get; }

    /// <summary>The initiator learns of it with the answer.</summary>
    public bool IsKnownHere { get; set; }

    public bool IsLive => !_closed.Task.IsCompleted && Owner.IsOpen;

    public MeshPathInfo Path => new("direct", Other.Owner.LocalAddresses[0], TimeSpan.FromMilliseconds(2), 0, 1200);

    public Task<ConnectionEnd> Closed => _closed.Task;

    public static void Join(SimConnection one, SimConnection other)
    {
        one.Other = other;
        other.Other = one;
    }

    public ValueTask<IMeshStream> OpenStreamAsync(StreamPriority priority, CancellationToken cancellationToken)
    {
        if (!IsLive)
        {
            throw new StreamAbortedException(0, "the connection is closed");
        }

        var stream = new SimStream(this, _nextId += 2, priority);
        _streams.Add(stream.Id, stream);
        Send(other => other.Open(stream.Id, priority));
        return ValueTask.FromResult<IMeshStream>(stream);
    }

    public async ValueTask<IMeshStream?> AcceptStreamAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _accepted.Reader.ReadAsync(cancellationToken);
        }
        catch (ChannelClosedException)
        {
            return null;
        }
    }

    public ValueTask CloseAsync(ulong code, string reason)
    {
        if (IsLive)
        {
            // The goodbye is one packet: it is not sent again.
            TimeSpan after = _wire.Latency();
            _wire.Loop.After(after, null, () =>
            {
                if (_wire.IsOpen(Owner.LocalId, RemoteId))
                {
                    Other.End(new ConnectionEnd(true, code, reason));
                }
            });
            End(new ConnectionEnd(false, code, reason));
        }

        return ValueTask.CompletedTask;
    }

    public void Lose(string reason) => End(new ConnectionEnd(false, CloseCodes.Forgotten, reason));

    /// <summary>Lets the other end do something, behind everything that was sent before.</summary>
    public void Send(Action<SimConnection> act)
    {
        TimeSpan at = _wire.Loop.Now + _wire.Latency();
        _lastArrival = at > _lastArrival ? at : _lastArrival + TimeSpan.FromTicks(1);
        _underWay.Enqueue(() => act(Other));
        _wire.Loop.After(_lastArrival - _wire.Loop.Now, null, Arrive);
    }

    /// <summary>A write to a stream, told apart from what only the simulator has to send.</summary>
    public void SendWritten(Action<SimConnection> act)
    {
        _wire.Writes++;
        Send(act);
    }

    public SimStream? Stream(ulong id) => _streams.GetValueOrDefault(id);

    public void Forget(SimStream stream) => _streams.Remove(stream.Id);

    /// <summary>One arrives; on a line that is cut, it is sent again until it does.</summary>
    private void Arrive()
    {
        if (!Other.IsLive || !IsLive)
        {
            return;
        }

        if (!_wire.IsOpen(Owner.LocalId, RemoteId) || Other.Owner.Process.IsStopped || Owner.Process.IsStopped)
        {
            _wire.Loop.After(TryAgain, null, Arrive);
            return;
        }

        _underWay.Dequeue()();
    }

    private void Open(ulong id, StreamPriority priority)
    {
        var stream = new SimStream(this, id, priority);
        _streams.Add(id, stream);
        _accepted.Writer.TryWrite(stream);
    }

    /// <summary>A live peer is heard of at least as often as this.</summary>
    private void Look() => _wire.Loop.After(LookEvery, Owner.Process, () =>
    {
        if (!IsLive)
        {
            return;
        }

        if (Other.IsLive && !Other.Owner.Process.IsStopped && _wire.IsOpen(RemoteId, Owner.LocalId))
        {
            _heard = _wire.Loop.Now;
        }

        if (_wire.Loop.Now - _heard >= _wire.PeerTimeout)
        {
            _ = CloseAsync(CloseCodes.TimedOut, "nothing was heard");
            return;
        }

        Look();
    });

    private void End(ConnectionEnd end)
    {
        if (!_closed.TrySetResult(end))
        {
            return;
        }

        _wire.Loop.Note($"{Owner.LocalId.ToString()[..4]} lost the connection to {RemoteId.ToString()[..4]}: {end.Reason}");
        _accepted.Writer.TryComplete();
        foreach (SimStream stream in _streams.Values.ToArray())
        {
            stream.Break(end.Code);
        }
    }
}
