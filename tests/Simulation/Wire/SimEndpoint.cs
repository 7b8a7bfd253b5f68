using System.Net;
using System.Threading.Channels;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport;
using Simulation.Engine;

namespace Simulation.Wire;

/// <summary>The presence of one life of a node on a <see cref="SimWire"/>.</summary>
internal sealed class SimEndpoint : IMeshEndpoint
{
    private static readonly TimeSpan DialAgain = TimeSpan.FromMilliseconds(300);

    private readonly SimWire _wire;
    private readonly Channel<IMeshConnection> _accepted = Channel.CreateUnbounded<IMeshConnection>();
    private readonly Dictionary<DeviceId, TaskCompletionSource<IMeshConnection>> _dials = [];
    private bool _isDisposed;

    public SimEndpoint(SimWire wire, SimIdentity identity, SimProcess process)
    {
        _wire = wire;
        Key = identity.Key;
        LocalId = identity.Id;
        LocalAddresses = [identity.Address];
        Process = process;
        wire.Attach(this);
    }

    public DevicePublicKey Key { get; }

    public DeviceId LocalId { get; }

    public IReadOnlyList<IPEndPoint> LocalAddresses { get; }

    public SimProcess Process { get; }

    public bool IsOpen => !_isDisposed && Process.IsAlive;

    public async ValueTask<IMeshConnection> ConnectAsync(DevicePublicKey key, IReadOnlyList<IPEndPoint> addresses, CancellationToken cancellationToken)
    {
        DeviceId remote = key.Id;
        if (_wire.Find(remote) is { } known && _wire.Between(this, known) is { IsKnownHere: true } live)
        {
            return live;
        }

        if (!_dials.TryGetValue(remote, out TaskCompletionSource<IMeshConnection>? dial))
        {
            _dials.Add(remote, dial = new TaskCompletionSource<IMeshConnection>(TaskCreationOptions.RunContinuationsAsynchronously));
            Knock(remote, dial);
        }

        try
        {
            return await dial.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            _dials.Remove(remote);
            throw;
        }
    }

    public async ValueTask<IMeshConnection?> AcceptAsync(CancellationToken cancellationToken)
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

    public ValueTask DisposeAsync()
    {
        _isDisposed = true;
        _accepted.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    public void Opened(SimConnection connection)
    {
        connection.IsKnownHere = true;
        _wire.Loop.Note($"{LocalId.ToString()[..4]} has a connection to {connection.RemoteId.ToString()[..4]}");
        if (_dials.Remove(connection.RemoteId, out TaskCompletionSource<IMeshConnection>? dial))
        {
            dial.TrySetResult(connection);
        }
    }

    private void Knock(DeviceId remote, TaskCompletionSource<IMeshConnection> dial)
    {
        if (dial.Task.IsCompleted || _dials.GetValueOrDefault(remote) != dial || !IsOpen)
        {
            return;
        }

        _wire.Loop.After(_wire.Latency(), null, () =>
        {
            if (_wire.IsOpen(LocalId, remote) && _wire.Find(remote) is { Process.IsStopped: false } there)
            {
                there.Answer(this);
            }
        });
        _wire.Loop.After(DialAgain, Process, () => Knock(remote, dial));
    }

    /// <summary>The first packet of another device has arrived.</summary>
    private void Answer(SimEndpoint from) => _wire.Loop.After(_wire.Latency(), null, () =>
    {
        if (_wire.IsOpen(LocalId, from.LocalId) && from.IsOpen && IsOpen)
        {
            from.Answered(this);
        }
    });

    /// <summary>The answer makes the connection; the first packet over it makes it for the other side.</summary>
    private void Answered(SimEndpoint by)
    {
        if (_wire.Between(this, by) is { } both)
        {
            // Both have dialled: one of the two connections is that of both.
            if (both.IsKnownHere)
            {
                Opened(both);
            }

            return;
        }

        if (!_dials.ContainsKey(by.LocalId))
        {
            return;
        }

        var mine = new SimConnection(_wire, this, by.Key, isInitiator: true);
        var theirs = new SimConnection(_wire, by, Key, isInitiator: false);
        SimConnection.Join(mine, theirs);
        _wire.Add(mine, theirs);
        Opened(mine);
        mine.Send(other => by.Accept(other));
    }

    private void Accept(SimConnection connection)
    {
        Opened(connection);
        _accepted.Writer.TryWrite(connection);
    }
}
