using System.Collections.Concurrent;
using System.Net;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Relaying;

namespace AgentMesh.Transport.Relaying;

/// <summary>A way to a device through a beacon, or through another device of the mesh.</summary>
/// <param name="Beacon">Its connection: relayed datagrams travel beside it, between the same two sockets or over the same tunnel.</param>
/// <param name="Name">What people call the beacon or device.</param>
/// <param name="IsByPeer">A device of the mesh relays.</param>
public sealed record RelayChannel(ulong Id, DeviceId Peer, MeshConnection Beacon, string Name, bool IsByPeer = false)
{
    /// <summary>As in <see cref="MeshPathInfo"/>.</summary>
    public string Kind => IsByPeer ? MeshPathInfo.RelayByPeer : TunnelAddress.IsTunnel(Beacon.Remote) ? MeshPathInfo.RelayByWebSocket : MeshPathInfo.Relay;

    /// <summary>Stands for the channel wherever an address is wanted.</summary>
    public IPEndPoint Address { get; } = RelayAddress.Of(Id);
}

/// <summary>The relay channels of an endpoint. Thread-safe. Bounded by what beacons are allowed to open.</summary>
public sealed class RelayChannels
{
    private readonly ConcurrentDictionary<ulong, RelayChannel> _byId = new();

    /// <summary>The channels to a device changed.</summary>
    public event Action<DeviceId>? Changed;

    /// <summary>A beacon says, without proof, that it does not know this channel, or not from where this device seems to be. Raised on the receiving thread.</summary>
    public event Action<RelayChannel>? Doubted;

    public int Count => _byId.Count;

    /// <summary>Those of devices of the mesh before those of beacons.</summary>
    public IReadOnlyList<RelayChannel> To(DeviceId device) => _byId.IsEmpty ? [] : [.. _byId.Values.Where(channel => channel.Peer == device).OrderBy(channel => channel.IsByPeer ? 0 : 1).ThenBy(channel => channel.Id)];

    public bool TryOpen(RelayChannel channel)
    {
        if (!_byId.TryAdd(channel.Id, channel))
        {
            return false;
        }

        Changed?.Invoke(channel.Peer);
        return true;
    }

    public void Close(ulong id)
    {
        if (_byId.TryRemove(id, out RelayChannel? channel))
        {
            Changed?.Invoke(channel.Peer);
        }
    }

    public RelayChannel? Find(IPEndPoint address) => RelayAddress.TryRead(address.Serialize(), out ulong id) ? Find(id) : null;

    internal RelayChannel? Find(ulong id) => _byId.GetValueOrDefault(id);

    internal void Doubt(ulong id, IPEndPoint from)
    {
        if (Find(id) is { } channel && channel.Beacon.IsAt(from))
        {
            Doubted?.Invoke(channel);
        }
    }
}
