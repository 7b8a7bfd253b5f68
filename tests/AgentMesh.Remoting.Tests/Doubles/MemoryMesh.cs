using System.Net;
using System.Security.Cryptography;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Remoting.Tests.Doubles;

/// <summary>A network in memory: endpoints find each other by key. Also the directory of everyone on it.</summary>
internal sealed class MemoryMesh : IPeerDirectory
{
    private readonly Dictionary<DeviceId, DevicePublicKey> _known = [];
    private readonly Dictionary<DeviceId, MemoryEndpoint> _endpoints = [];

    public static DevicePublicKey KeyOf(string name) => new(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(name)));

    /// <summary>A new endpoint; it replaces an earlier one of the same name, as a restart does.</summary>
    public MemoryEndpoint Start(string name)
    {
        MemoryEndpoint endpoint = new(this, KeyOf(name));
        lock (_endpoints)
        {
            _known[endpoint.LocalId] = endpoint.Key;
            _endpoints[endpoint.LocalId] = endpoint;
        }

        return endpoint;
    }

    /// <summary>Makes a device known that has no endpoint.</summary>
    public DeviceId Know(string name)
    {
        DevicePublicKey key = KeyOf(name);
        lock (_endpoints)
            _known[key.Id] = key;
        return key.Id;
    }

    public MemoryEndpoint? Find(DeviceId id)
    {
        lock (_endpoints)
            return _endpoints.GetValueOrDefault(id);
    }

    public void Remove(MemoryEndpoint endpoint)
    {
        lock (_endpoints)
        {
            if (_endpoints.TryGetValue(endpoint.LocalId, out MemoryEndpoint? current) && ReferenceEquals(current, endpoint))
                _endpoints.Remove(endpoint.LocalId);
        }
    }

    public bool TryGet(DeviceId id, out DevicePublicKey key, out IReadOnlyList<IPEndPoint> addresses)
    {
        addresses = [new IPEndPoint(IPAddress.Loopback, 14590)];
        lock (_endpoints)
            return _known.TryGetValue(id, out key);
    }
}
