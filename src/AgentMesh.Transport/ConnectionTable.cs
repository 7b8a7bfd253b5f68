using System.Collections.Concurrent;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Packets;

namespace AgentMesh.Transport;

/// <summary>The connections of an endpoint: by the id that packets carry, by the one that the other side has, and one for each device. Thread-safe.</summary>
internal sealed class ConnectionTable
{
    private readonly ConcurrentDictionary<ConnectionId, MeshConnection> _byId = new();
    private readonly ConcurrentDictionary<ConnectionId, MeshConnection> _byRemoteId = new();
    private readonly ConcurrentDictionary<DeviceId, MeshConnection> _byDevice = new();

    /// <summary>Those too that say goodbye.</summary>
    public ICollection<MeshConnection> All => _byId.Values;

    public MeshConnection? Find(ConnectionId id) => _byId.GetValueOrDefault(id);

    /// <param name="id">As the other side knows it.</param>
    public MeshConnection? FindByRemoteId(ConnectionId id) => _byRemoteId.GetValueOrDefault(id);

    public MeshConnection? FindOpen(DeviceId device) => _byDevice.TryGetValue(device, out MeshConnection? live) && live.IsOpen ? live : null;

    /// <returns>The one of that device whose place it takes.</returns>
    public MeshConnection? Add(MeshConnection connection)
    {
        _byId[connection.LocalConnectionId] = connection;
        _byRemoteId[connection.Session.RemoteConnectionId] = connection;
        MeshConnection? before = null;
        _byDevice.AddOrUpdate(connection.RemoteId, connection, (_, old) =>
        {
            before = old;
            return connection;
        });
        return before;
    }

    /// <summary>It cannot be used any more; it may still have to say goodbye.</summary>
    public void Unlist(MeshConnection connection) => _byDevice.TryRemove(KeyValuePair.Create(connection.RemoteId, connection));

    public void Forget(MeshConnection connection)
    {
        Unlist(connection);
        _byId.TryRemove(KeyValuePair.Create(connection.LocalConnectionId, connection));
        _byRemoteId.TryRemove(KeyValuePair.Create(connection.Session.RemoteConnectionId, connection));
    }
}
