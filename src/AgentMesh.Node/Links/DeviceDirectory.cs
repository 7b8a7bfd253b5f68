using System.Collections.Concurrent;
using System.Net;
using AgentMesh.Node.Remembered;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Transport.Turn;

namespace AgentMesh.Node.Links;

/// <summary>What a device said about itself when it was last here.</summary>
/// <param name="Labels">Null in a file of a version that knew none.</param>
internal sealed record DeviceHello(string Name, string Platform, string HostName, string Version, IReadOnlyList<string> Capabilities, IReadOnlyList<string>? Labels = null);

/// <summary>
/// Where admitted devices were last found, and when. Kept in a file, so that a device is found again without anybody's help. Hints, never proof:
/// who is admitted is the registry's matter. Thread-safe.
/// </summary>
internal sealed class DeviceDirectory : IPeerDirectory
{
    private const int DevicesMax = 10_000;

    // Longer ago this device may have been in another network.
    private static readonly TimeSpan CameWithin = TimeSpan.FromDays(30);

    // It is written down no more often.
    private static readonly TimeSpan CameEvery = TimeSpan.FromDays(1);

    private readonly ConcurrentDictionary<DeviceId, KnownPlace> _places;
    private readonly DirectoryFile _file;
    private readonly TimeProvider _time;
    private readonly int _most;
    private readonly Lock _saving = new();
    private volatile IReadOnlyDictionary<DeviceId, DevicePublicKey> _admitted = new Dictionary<DeviceId, DevicePublicKey>();

    public DeviceDirectory(string file, TimeProvider time, int most = DevicesMax)
    {
        _most = most;
        _file = new DirectoryFile(file);
        _time = time;
        _places = new ConcurrentDictionary<DeviceId, KnownPlace>(_file.Read(most, time.GetUtcNow()));
    }

    /// <summary>The file, and what of it could not be read when the node started.</summary>
    public CacheFile File => _file.Cache;

    /// <summary>Further ways to a device that mean something now and to this process only: relay channels, and ways that pass a TURN server. They are not kept.</summary>
    public Func<DeviceId, IEnumerable<IPEndPoint>> WaysRound { get; set; } = _ => [];

    /// <summary>An address is this device's own: on many hosts the bridges of containers have the same ones.</summary>
    public Func<IPEndPoint, bool> IsOwn { get; set; } = _ => false;

    /// <summary>The devices of the mesh without this one, as the registry has them.</summary>
    public IReadOnlyDictionary<DeviceId, DevicePublicKey> Admitted
    {
        get => _admitted;
        set => _admitted = value;
    }

    /// <summary>What is known of a place under the id of a key is known of the device that the key turned out to speak for.</summary>
    public void Unite(DeviceId keyId, DeviceId device)
    {
        if (keyId != device && _places.TryRemove(keyId, out KnownPlace? place))
        {
            Update(device, known => known.United(place));
        }
    }

    public bool TryGet(DeviceId id, out DevicePublicKey key, out IReadOnlyList<IPEndPoint> addresses)
    {
        addresses = [.. WaysRound(id), .. Addresses(id).Where(address => !IsOwn(address))];
        return _admitted.TryGetValue(id, out key);
    }

    public DateTimeOffset? LastSeen(DeviceId id) => Of(id).LastSeen;

    public DeviceHello? Hello(DeviceId id) => Of(id).Hello;

    public IReadOnlyList<IPEndPoint> Addresses(DeviceId id) => Of(id).Addresses;

    /// <summary>Addresses at which a device was really found, the latest first.</summary>
    public IReadOnlyList<GoodAddress> Good(DeviceId id) => Of(id).Good;

    /// <summary>Devices of the mesh that really relayed for a device and this one, the latest first.</summary>
    public IReadOnlyList<GoodRelay> Relays(DeviceId id) => Of(id).Relays;

    /// <summary>Where servers pass on to a device.</summary>
    public IReadOnlyList<RelayedPlace> Relayed(DeviceId id) => Of(id).Relayed;

    /// <summary>The IP addresses that servers see a device at, as it said.</summary>
    public IReadOnlyList<IPAddress> SeenAt(DeviceId id) => Of(id).SeenAt;

    /// <summary><see cref="Relayed"/> of a device is different. Raised on any thread.</summary>
    public event Action<DeviceId>? RelayedChanged;

    /// <summary>What the device itself said, or another one where it did not.</summary>
    public void HeardRelayed(DeviceId id, IReadOnlyList<RelayedPlace> relayed, IReadOnlyList<IPAddress>? seenAt)
    {
        RelayedPlace[] now = [.. relayed.Take(TurnWays.PerDeviceMax)];
        bool isOther = !Relayed(id).SequenceEqual(now);
        Update(id, place => place.PassedOn(now, seenAt));
        if (isOther)
        {
            Save();
        }

        RelayedChanged?.Invoke(id);
    }

    /// <summary>The devices that something is known of.</summary>
    public IEnumerable<DeviceId> Known => _places.Keys;

    /// <summary>Connected just now at this address, which is tried first from now on.</summary>
    public void Found(DeviceId id, IPEndPoint? at)
    {
        Update(id, place => place.Found(at, _time.GetUtcNow()));
        Save();
    }

    /// <summary>What is said to a device passes another one of the mesh now.</summary>
    public void RelayedBy(DeviceId id, DeviceId relay)
    {
        Update(id, place => place.RelayedBy(relay, _time.GetUtcNow()));
        Save();
    }

    /// <summary>A device has opened a connection to this one, and its path is direct.</summary>
    public void Came(DeviceId id)
    {
        DateTimeOffset now = _time.GetUtcNow();
        if (Of(id).CameAt is not { } at || now - at >= CameEvery)
        {
            Update(id, place => place with { CameAt = now });
            Save();
        }
    }

    /// <summary>A device has reached this one by itself within the last 30 days.</summary>
    public bool HasCome(DeviceId id) => Of(id).CameAt is { } at && _time.GetUtcNow() - at < CameWithin;

    /// <summary>Still there; not written to disk each time.</summary>
    public void Seen(DeviceId id) => Update(id, place => place with { LastSeen = _time.GetUtcNow() });

    /// <summary>What the device itself said. Its own word on its addresses goes before what others said.</summary>
    public void Heard(DeviceId id, DeviceHello hello, IEnumerable<IPEndPoint> addresses)
    {
        Update(id, place => place.Heard(hello, addresses));
        Save();
    }

    /// <summary>What another device or the user said about where it is.</summary>
    /// <returns>True when something of it is new.</returns>
    public bool Told(DeviceId id, IEnumerable<IPEndPoint> addresses)
    {
        int before = Addresses(id).Count;
        Update(id, place => place.Told(addresses));
        return Addresses(id).Count > before;
    }

    /// <summary>The device itself has just said, on a local link, that it is at this address: before all others, so that it counts however many are known.</summary>
    /// <returns>True when it is new.</returns>
    public bool Announced(DeviceId id, IPEndPoint at)
    {
        bool isNew = !Addresses(id).Contains(at);
        Update(id, place => place.Announced(at));
        return isNew;
    }

    public void Save()
    {
        lock (_saving)
        {
            _file.Write(_places);
        }
    }

    // Of devices that are in the mesh no more that which was seen longest ago; where all are, nobody new is remembered.
    private bool TryMakeRoom()
    {
        DeviceId[] others = [.. _places.Keys.Where(id => !_admitted.ContainsKey(id))];
        return others.Length > 0 && _places.TryRemove(others.MinBy(id => Of(id).LastSeen ?? DateTimeOffset.MinValue), out _);
    }

    private KnownPlace Of(DeviceId id) => _places.GetValueOrDefault(id) ?? KnownPlace.Nothing;

    private void Update(DeviceId id, Func<KnownPlace, KnownPlace> change)
    {
        if (_places.Count < _most || _places.ContainsKey(id) || TryMakeRoom())
        {
            _places.AddOrUpdate(id, _ => change(KnownPlace.Nothing), (_, place) => change(place));
        }
    }
}
