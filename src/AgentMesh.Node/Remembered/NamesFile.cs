using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace AgentMesh.Node.Remembered;

/// <summary>
/// <c>names.json</c>: <c>{"version":1,"hosts":{"beacon.example.org":[{"address":"203.0.113.10","at":"2026-11-22T04:00:00+00:00"}]}}</c>. A file of another version counts as
/// damaged, a host of which nothing can be read is left out, and so is each address that is none.
/// </summary>
internal sealed class NamesFile(string path)
{
    public const string FileName = "names.json";

    private const int Version = 1;

    // All hosts with all their addresses need a fortieth of it.
    private const long BytesMax = 1L << 20;

    public CacheFile Cache { get; } = new(path, BytesMax);

    public IReadOnlyList<RememberedName> Read(int most, DateTimeOffset now)
    {
        var names = new List<RememberedName>();
        Cache.Read(root =>
        {
            if (!root.TryGetProperty("version", out JsonElement version) || version.ValueKind != JsonValueKind.Number || !version.TryGetInt32(out int number) || number != Version
                || !root.TryGetProperty("hosts", out JsonElement hosts) || hosts.ValueKind != JsonValueKind.Object)
            {
                throw new JsonException("of another version");
            }

            int ignored = 0;
            foreach (JsonProperty entry in hosts.EnumerateObject())
            {
                if (names.Count < most && CacheFile.TryName(entry, out string host) && IsName(host) && AddressesOf(entry.Value, now, ref ignored) is { Count: > 0 } addresses)
                {
                    names.Add(new RememberedName(host, addresses));
                }
                else
                {
                    ignored++;
                }
            }

            return ignored;
        });
        return names;
    }

    public void Write(IEnumerable<RememberedName> names)
    {
        var hosts = new Dictionary<string, IReadOnlyList<StoredAddress>>(StringComparer.OrdinalIgnoreCase);
        foreach (RememberedName name in names)
        {
            hosts[name.Host] = [.. name.Addresses.Select(each => new StoredAddress(each.Address.ToString(), each.At))];
        }

        Cache.Write(JsonSerializer.Serialize(new StoredNames(Version, hosts), NamesJson.Default.StoredNames));
    }

    /// <summary>Of a host that can be remembered: no address, and not longer than names are.</summary>
    public static bool IsName(string host) => host.Length is > 0 and <= RememberedName.HostCharsMax && !IPAddress.TryParse(host, out _);

    private static IReadOnlyList<ProvenAddress> AddressesOf(JsonElement stored, DateTimeOffset now, ref int ignored)
    {
        if (stored.ValueKind != JsonValueKind.Array)
        {
            return [];
        }

        var read = new List<ProvenAddress>();
        foreach (JsonElement element in stored.EnumerateArray().Take(RememberedName.AddressesMax))
        {
            if (AddressOf(element) is { } proven)
            {
                read.Add(proven with { At = proven.At.NoLaterThan(now) });
            }
            else
            {
                ignored++;
            }
        }

        return Lasting.Of(read.DistinctBy(each => each.Address), each => each.At, RememberedName.AddressesMax);
    }

    private static ProvenAddress? AddressOf(JsonElement element)
    {
        try
        {
            return element.Deserialize(NamesJson.Default.StoredAddress) is { Address: { Length: <= 64 } text } stored && IPAddress.TryParse(text, out IPAddress? address) && IsUsable(address)
                ? new ProvenAddress(address, stored.At)
                : null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static bool IsUsable(IPAddress address) => !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any);
}

internal sealed record StoredNames(int Version, IReadOnlyDictionary<string, IReadOnlyList<StoredAddress>> Hosts);

internal sealed record StoredAddress(string? Address, DateTimeOffset At);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(StoredNames))]
internal sealed partial class NamesJson : JsonSerializerContext;
