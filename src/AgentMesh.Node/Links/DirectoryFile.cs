using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using AgentMesh.Mesh.Selectors;
using AgentMesh.Node.Remembered;
using AgentMesh.Node.Settings;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport.Turn;

namespace AgentMesh.Node.Links;

/// <summary>
/// <c>devices.json</c>: where devices were found, so that they are found again without anybody's help. Whatever somebody or a failing disk wrote into it, the
/// node starts: entries that cannot be read are left out and counted, and of a file that is none at all a copy is kept beside it.
/// </summary>
internal sealed class DirectoryFile(string path)
{
    // Ten thousand devices with all that is kept of each need a third of it.
    private const long BytesMax = 64L << 20;

    public CacheFile Cache { get; } = new(path, BytesMax);

    public IEnumerable<KeyValuePair<DeviceId, KnownPlace>> Read(int most, DateTimeOffset now)
    {
        var places = new Dictionary<DeviceId, KnownPlace>();
        Cache.Read(root =>
        {
            int ignored = 0;
            foreach (JsonProperty entry in root.EnumerateObject())
            {
                if (places.Count < most && CacheFile.TryName(entry, out string name) && DeviceId.TryParse(name, out DeviceId id) && PlaceOf(entry.Value, now) is { } place)
                {
                    places[id] = place;
                }
                else
                {
                    ignored++;
                }
            }

            return ignored;
        });
        return places;
    }

    public void Write(IEnumerable<KeyValuePair<DeviceId, KnownPlace>> places) => Cache.Write(JsonSerializer.Serialize(
        places.ToDictionary(item => item.Key.ToString(), item => StoredOf(item.Value), StringComparer.Ordinal), DirectoryJson.Default.DictionaryStringStoredPlace));

    /// <returns>Null where it is none. Addresses that are none are left out of it.</returns>
    private static KnownPlace? PlaceOf(JsonElement entry, DateTimeOffset now)
    {
        StoredPlace? stored;
        try
        {
            stored = entry.Deserialize(DirectoryJson.Default.StoredPlace);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return null;
        }

        return stored is null ? null : new KnownPlace
        {
            Addresses = [.. AddressText.ParseAll(Texts(stored.Addresses), KnownPlace.AddressesMax)],
            Good = KnownPlace.Lasting((stored.Good ?? []).Where(good => good is { Address: { } text } && AddressText.TryParse(text, out _))
                .Select(good => new GoodAddress(IPEndPoint.Parse(good!.Address!), good.At.NoLaterThan(now))).DistinctBy(good => good.Address)),
            Relays = KnownPlace.Lasting((stored.Relays ?? []).Select(relay => DeviceId.TryParse(relay?.Device, out DeviceId id) ? new GoodRelay(id, relay!.At.NoLaterThan(now)) : default)
                .Where(relay => !relay.Device.IsNone).DistinctBy(relay => relay.Device)),
            LastSeen = stored.LastSeen?.NoLaterThan(now),
            CameAt = stored.CameAt?.NoLaterThan(now),
            Hello = HelloOf(stored.Hello),
            Relayed = [.. (stored.Relayed ?? []).Where(place => place is { Address: { } text, Host: not null } && AddressText.TryParse(text, out _)).Take(TurnWays.PerDeviceMax).Select(place => new RelayedPlace(IPEndPoint.Parse(place!.Address!), place.Host!))],
            SeenAt = [.. AddressText.ParseHosts(Texts(stored.SeenAt))],
        };
    }

    private static DeviceHello? HelloOf(DeviceHello? hello) => hello is { Name: not null, Platform: not null, HostName: not null, Version: not null }
        ? hello with { Name = SettingsReader.CleanName(hello.Name), Capabilities = [.. Texts(hello.Capabilities).Take(64)], Labels = [.. Texts(hello.Labels).Where(DeviceLabel.IsValid).Take(DeviceLabel.PerDeviceMax)] }
        : null;

    private static IEnumerable<string> Texts(IEnumerable<string?>? texts) => (texts ?? []).OfType<string>();

    private static StoredPlace StoredOf(KnownPlace place) => new(
        [.. place.Addresses.Select(address => address.ToString())],
        place.LastSeen,
        place.Hello,
        place.Relayed.Count == 0 ? null : [.. place.Relayed.Select(each => new StoredRelayed(each.Address.ToString(), each.Host))],
        place.SeenAt.Count == 0 ? null : [.. place.SeenAt.Select(address => address.ToString())],
        place.Good.Count == 0 ? null : [.. place.Good.Select(good => new StoredGood(good.Address.ToString(), good.At))],
        place.Relays.Count == 0 ? null : [.. place.Relays.Select(relay => new StoredGoodRelay(relay.Device.ToString(), relay.At))],
        place.CameAt);
}

// Nothing of a file is certain to be there.
internal sealed record StoredPlace(
    IReadOnlyList<string?>? Addresses, DateTimeOffset? LastSeen, DeviceHello? Hello, IReadOnlyList<StoredRelayed?>? Relayed = null, IReadOnlyList<string?>? SeenAt = null, IReadOnlyList<StoredGood?>? Good = null,
    IReadOnlyList<StoredGoodRelay?>? Relays = null, DateTimeOffset? CameAt = null);

internal sealed record StoredRelayed(string? Address, string? Host);

internal sealed record StoredGood(string? Address, DateTimeOffset At);

internal sealed record StoredGoodRelay(string? Device, DateTimeOffset At);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(Dictionary<string, StoredPlace>))]
internal sealed partial class DirectoryJson : JsonSerializerContext;
