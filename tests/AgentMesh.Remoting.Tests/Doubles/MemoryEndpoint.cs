using System.Net;
using System.Threading.Channels;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport;

namespace AgentMesh.Remoting.Tests.Doubles;

internal sealed class MemoryEndpoint(MemoryMesh mesh, DevicePublicKey key) : IMeshEndpoint
{
    private readonly Channel<IMeshConnection> _accepted = Channel.CreateUnbounded<IMeshConnection>();
    private readonly List<MemoryConnection> _connections = [];
    private readonly Lock _dialling = new();

    public DevicePublicKey Key => key;

    public DeviceId LocalId => key.Id;

    public IReadOnlyList<IPEndPoint> LocalAddresses { get; } = [new(IPAddress.Loopback, 14590)];

    /// <summary>How often a device was dialled from here.</summary>
    public int Dials { get; private set; }

    /// <summary>Dials wait for it.</summary>
    public Task DialGate { get; set; } = Task.CompletedTask;

    public async ValueTask<IMeshConnection> ConnectAsync(DevicePublicKey remote, IReadOnlyList<IPEndPoint> addresses, CancellationToken cancellationToken)
    {
        Dials++;
        await DialGate.WaitAsync(cancellationToken);
        // As of the endpoint that it stands for: dials at one moment have one connection.
        lock (_dialling)
        {
            if (Live(remote) is { } live)
                return live;
            MemoryEndpoint peer = mesh.Find(remote.Id) ?? throw new IOException("nobody answers");
            (MemoryConnection mine, MemoryConnection theirs) = MemoryConnection.Pair(key, remote);
            Add(mine);
            peer.Add(theirs);
            peer._accepted.Writer.TryWrite(theirs);
            return mine;
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

    /// <summary>Everything is gone at once, as after <c>kill -9</c>; the others see their connections end.</summary>
    public void Crash()
    {
        mesh.Remove(this);
        _accepted.Writer.TryComplete();
        MemoryConnection[] open;
        lock (_connections)
            open = [.. _connections];
        foreach (MemoryConnection connection in open)
            connection.End(99, "crashed");
    }

    public ValueTask DisposeAsync()
    {
        Crash();
        return ValueTask.CompletedTask;
    }

    private MemoryConnection? Live(DevicePublicKey remote)
    {
        lock (_connections)
            return _connections.Find(c => c.RemoteKey == remote && !c.Closed.IsCompleted);
    }

    private void Add(MemoryConnection connection)
    {
        lock (_connections)
            _connections.Add(connection);
    }
}
