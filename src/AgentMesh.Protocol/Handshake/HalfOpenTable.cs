using System.Net;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Packets;

namespace AgentMesh.Protocol.Handshake;

/// <summary>An answered initiation whose initiator has not proven yet that it has the keys.</summary>
internal sealed class HalfOpen(UInt128 digest, byte[] response, EstablishedSession session, PacketProtector protector, TimeSpan expiresAt)
{
    /// <summary>So often one answer is repeated at most.</summary>
    public const int RepeatsMax = 8;

    public UInt128 Digest { get; } = digest;

    public byte[] Response { get; } = response;

    /// <summary>With the address that the initiation came from, and no time of establishment yet.</summary>
    public EstablishedSession Session { get; } = session;

    public PacketProtector Protector { get; } = protector;

    public TimeSpan ExpiresAt { get; } = expiresAt;

    public int Repeats { get; set; }
}

/// <summary>Bounded twice, in all and per device; the oldest goes first.</summary>
internal sealed class HalfOpenTable(HandshakeSettings settings)
{
    private readonly Dictionary<ConnectionId, LinkedListNode<HalfOpen>> _byId = [];
    private readonly Dictionary<UInt128, HalfOpen> _byDigest = [];
    private readonly LinkedList<HalfOpen> _byAge = [];

    public int Count => _byAge.Count;

    /// <summary>All have the same lifetime, so the oldest expires first.</summary>
    public TimeSpan? NextExpiry => _byAge.First?.Value.ExpiresAt;

    public HalfOpen? Find(ConnectionId id) => _byId.GetValueOrDefault(id)?.Value;

    public HalfOpen? Find(UInt128 digest) => _byDigest.GetValueOrDefault(digest);

    public bool Contains(ConnectionId id) => _byId.ContainsKey(id);

    public void Add(HalfOpen entry)
    {
        List<HalfOpen> sameDevice = [.. _byAge.Where(e => e.Session.RemoteKey == entry.Session.RemoteKey)];
        if (sameDevice.Count >= settings.HalfOpenPerDeviceMax)
        {
            Drop(sameDevice[0]);
        }
        else if (_byAge.Count >= settings.HalfOpenMax)
        {
            Drop(_byAge.First!.Value);
        }

        _byId.Add(entry.Session.LocalConnectionId, _byAge.AddLast(entry));
        _byDigest[entry.Digest] = entry;
    }

    /// <summary>Forgets the entry and erases its keys.</summary>
    public void Drop(HalfOpen entry)
    {
        Take(entry);
        entry.Protector.Dispose();
    }

    /// <summary>Forgets the entry; its keys live on in a session.</summary>
    public void Take(HalfOpen entry)
    {
        if (_byId.Remove(entry.Session.LocalConnectionId, out LinkedListNode<HalfOpen>? node))
        {
            _byAge.Remove(node);
            _byDigest.Remove(entry.Digest);
        }
    }

    public void DropAllOf(DevicePublicKey device)
    {
        foreach (HalfOpen entry in _byAge.Where(e => e.Session.RemoteKey == device).ToList())
        {
            Drop(entry);
        }
    }

    public void Expire(TimeSpan now)
    {
        while (_byAge.First is { Value: var oldest } && oldest.ExpiresAt <= now)
        {
            Drop(oldest);
        }
    }

    public void Clear()
    {
        while (_byAge.First is { Value: var oldest })
        {
            Drop(oldest);
        }
    }
}
