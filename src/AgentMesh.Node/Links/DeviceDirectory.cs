using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Transport.Turn;

namespace AgentMesh.Node.Links;

/// <summary>What a device said about itself when it was last here.</summary>
/// <param name="Labels">Null in a file of a version that knew none.</param>
internal sealed record DeviceHello(string Name, string Platform, string HostName, string Version, IReadOnlyList<string> Capabilities, IReadOnlyList<string>? Labels = null);

/// <summary>
/// Where admitted devices were last found, and when. Kept in a file, so that a device is found again without anybody's help. Hints, never proof:
/// who is admitted is the registry's matter.
/// </summary>
internal sealed class DeviceDirectory : IPeerDirectory
{
    // An attempt takes 32: a relay channel or an announcement that comes while it runs has to find room, however often the device has moved.
    private const int AddressesMax = 24;
    private const int DevicesMax = 10_000;

    private readonly ConcurrentDictionary<DeviceId, Place> _places = new();
    private readonly string _file;
    private readonly TimeProvider _time;
    private readonly Lock _saving = new();
    private volatile IReadOnlyDictionary<DeviceId, DevicePublicKey> _admitted = new Dictionary<DeviceId, DevicePublicKey>();

    public DeviceDirectory(string file, TimeProvider time)
    {
        _file = file;
        _time = time;
        Load();
    }

    /// <summary>Further ways to a device that mean something now and to this process only: relay channels, and ways that pass a TURN server. They are not kept.</summary>
    public Func<DeviceId, IEnumerable<IPEndPoint>> WaysRound { get; set; } = _ => [];

    /// <summary>The devices of the mesh without this one, as the registry has them.</summary>
    public IReadOnlyDictionary<DeviceId, DevicePublicKey> Admitted
    {
        get => _admitted;
        set => _admitted = value;
    }

    /// <summary>What is known of a place under the id of a key is known of the device that the key turned out to speak for.</summary>
    public void Unite(DeviceId keyId, DeviceId device)
    {
        if (keyId != device && _places.TryRemove(keyId, out Place? place))
        {
            Update(device, known => new Place(Merge(place.Addresses, known.Addresses), known.LastSeen ?? place.LastSeen, known.Hello ?? place.Hello));
        }
    }

    public bool TryGet(DeviceId id, out DevicePublicKey key, out IReadOnlyList<IPEndPoint> addresses)
    {
        addresses = [.. WaysRound(id), .. Addresses(id)];
        return _admitted.TryGetValue(id, out key);
    }

    public DateTimeOffset? LastSeen(DeviceId id) => _places.GetValueOrDefault(id)?.LastSeen;

    public DeviceHello? Hello(DeviceId id) => _places.GetValueOrDefault(id)?.Hello;

    public IReadOnlyList<IPEndPoint> Addresses(DeviceId id) => _places.GetValueOrDefault(id)?.Addresses ?? [];

    /// <summary>Where servers pass on to a device.</summary>
    public IReadOnlyList<RelayedPlace> Relayed(DeviceId id) => _places.GetValueOrDefault(id)?.Relayed ?? [];

    /// <summary>The IP addresses that servers see a device at, as it said.</summary>
    public IReadOnlyList<IPAddress> SeenAt(DeviceId id) => _places.GetValueOrDefault(id)?.SeenAt ?? [];

    /// <summary><see cref="Relayed"/> of a device is different. Raised on any thread.</summary>
    public event Action<DeviceId>? RelayedChanged;

    /// <summary>What the device itself said, or another one where it did not.</summary>
    public void HeardRelayed(DeviceId id, IReadOnlyList<RelayedPlace> relayed, IReadOnlyList<IPAddress>? seenAt)
    {
        RelayedPlace[] now = [.. relayed.Take(TurnWays.PerDeviceMax)];
        bool isOther = !Relayed(id).SequenceEqual(now);
        Update(id, place => place with { Relayed = now, SeenAt = seenAt ?? place.SeenAt, Addresses = [.. place.Addresses.Where(address => !Array.Exists(now, each => each.Address.Equals(address)))] });
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
        Update(id, place => place with { LastSeen = _time.GetUtcNow(), Addresses = at is null ? place.Addresses : Merge([at], place.Addresses) });
        Save();
    }

    /// <summary>Still there; not written to disk each time.</summary>
    public void Seen(DeviceId id) => Update(id, place => place with { LastSeen = _time.GetUtcNow() });

    /// <summary>What the device itself said. Its own word on its addresses goes before what others said.</summary>
    public void Heard(DeviceId id, DeviceHello hello, IEnumerable<IPEndPoint> addresses)
    {
        Update(id, place => place with { Hello = hello, Addresses = Merge(place.Addresses.Take(1), Merge(addresses, place.Addresses)) });
        Save();
    }

    /// <summary>What another device or the user said about where it is.</summary>
    /// <returns>True when something of it is new.</returns>
    public bool Told(DeviceId id, IEnumerable<IPEndPoint> addresses)
    {
        int before = Addresses(id).Count;
        Update(id, place => place with { Addresses = Merge(place.Addresses, addresses) });
        return Addresses(id).Count > before;
    }

    /// <summary>The device itself has just said, on a local link, that it is at this address: before all others, so that it counts however many are known.</summary>
    /// <returns>True when it is new.</returns>
    public bool Announced(DeviceId id, IPEndPoint at)
    {
        bool isNew = !Addresses(id).Contains(at);
        Update(id, place => place with { Addresses = Merge([at], place.Addresses) });
        return isNew;
    }

    public void Save()
    {
        lock (_saving)
        {
            try
            {
                var stored = _places.ToDictionary(
                    item => item.Key.ToString(),
                    item => new StoredPlace([.. item.Value.Addresses.Select(address => address.ToString())], item.Value.LastSeen, item.Value.Hello)
                    {
                        Relayed = item.Value.Relayed.Count == 0 ? null : [.. item.Value.Relayed.Select(place => new StoredRelayed(place.Address.ToString(), place.Host))],
                        SeenAt = item.Value.SeenAt.Count == 0 ? null : [.. item.Value.SeenAt.Select(address => address.ToString())],
                    },
                    StringComparer.Ordinal);
                string fresh = _file + ".new";
                File.WriteAllText(fresh, JsonSerializer.Serialize(stored, DirectoryJson.Default.DictionaryStringStoredPlace));
                File.Move(fresh, _file, overwrite: true);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // A cache: without it devices are found by their announcements.
            }
        }
    }

    private void Load()
    {
        try
        {
            if (!File.Exists(_file))
            {
                return;
            }

            foreach ((string text, StoredPlace stored) in JsonSerializer.Deserialize(File.ReadAllText(_file), DirectoryJson.Default.DictionaryStringStoredPlace) ?? [])
            {
                if (DeviceId.TryParse(text, out DeviceId id))
                {
                    _places[id] = new Place([.. AddressText.ParseAll(stored.Addresses, AddressesMax)], stored.LastSeen, stored.Hello)
                    {
                        Relayed = [.. (stored.Relayed ?? []).Take(TurnWays.PerDeviceMax).Where(place => AddressText.TryParse(place.Address, out _)).Select(place => new RelayedPlace(IPEndPoint.Parse(place.Address), place.Host))],
                        SeenAt = [.. AddressText.ParseHosts(stored.SeenAt ?? [])],
                    };
                }
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            // Damaged: it fills again.
        }
    }

    private void Update(DeviceId id, Func<Place, Place> change)
    {
        if (_places.Count < DevicesMax || _places.ContainsKey(id))
        {
            _places.AddOrUpdate(id, _ => change(new Place([], null, null)), (_, place) => change(place));
        }
    }

    private static IReadOnlyList<IPEndPoint> Merge(IEnumerable<IPEndPoint> first, IEnumerable<IPEndPoint> then) => [.. first.Concat(then).Distinct().Take(AddressesMax)];

    private sealed record Place(IReadOnlyList<IPEndPoint> Addresses, DateTimeOffset? LastSeen, DeviceHello? Hello)
    {
        public IReadOnlyList<RelayedPlace> Relayed { get; init; } = [];

        public IReadOnlyList<IPAddress> SeenAt { get; init; } = [];
    }
}

internal sealed record StoredPlace(IReadOnlyList<string> Addresses, DateTimeOffset? LastSeen, DeviceHello? Hello)
{
    public IReadOnlyList<StoredRelayed>? Relayed { get; init; }

    public IReadOnlyList<string>? SeenAt { get; init; }
}

internal sealed record StoredRelayed(string Address, string Host);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(Dictionary<string, StoredPlace>))]
internal sealed partial class DirectoryJson : JsonSerializerContext;
