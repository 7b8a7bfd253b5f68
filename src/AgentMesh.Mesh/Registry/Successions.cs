using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Registry;

/// <summary>
/// Which keys speak for one device, one after another. A device is named by its first key, for good; only its last key counts. Where two keys claim to be the next one, the key before
/// them is in two hands: none of them counts. Not thread-safe.
/// </summary>
internal sealed class Successions
{
    /// <summary>Keys of one device.</summary>
    public const int KeysMax = 200;

    // The second one is the proof of a fork; further ones prove nothing more.
    private const int ClaimsMax = 2;

    private readonly Dictionary<DevicePublicKey, RegistryEntry> _naming = [];
    private readonly Dictionary<DevicePublicKey, List<RegistryEntry>> _claims = [];

    /// <summary>Whether a key's word that it succeeds another can be kept.</summary>
    public bool Fits(RegistryEntry succeed) => RootOf(succeed.Subject) is { } root && root != succeed.Author && KeysOf(root).Count < KeysMax
        && (_claims.GetValueOrDefault(succeed.Subject) is not { } claims || (claims.Count < ClaimsMax && !claims.Exists(claim => claim.Author == succeed.Author)));

    public void Keep(RegistryEntry succeed)
    {
        _naming[succeed.Author] = succeed.Naming!;
        if (!_claims.TryGetValue(succeed.Subject, out List<RegistryEntry>? claims))
        {
            _claims.Add(succeed.Subject, claims = []);
        }

        claims.Add(succeed);
    }

    /// <summary>The first key of the device that a key speaks or spoke for; the key itself where it succeeds none. Null: it leads nowhere.</summary>
    public DevicePublicKey? RootOf(DevicePublicKey key)
    {
        for (int steps = 0; steps <= KeysMax; steps++)
        {
            if (!_naming.TryGetValue(key, out RegistryEntry? naming))
            {
                return key;
            }

            key = naming.Author;
        }

        return null;
    }

    /// <summary>The keys of a device from its first one on, as far as they are beyond doubt.</summary>
    public IReadOnlyList<DevicePublicKey> KeysOf(DevicePublicKey root)
    {
        var keys = new List<DevicePublicKey> { root };
        while (keys.Count <= KeysMax && _claims.GetValueOrDefault(keys[^1]) is [{ } only])
        {
            keys.Add(only.Author);
        }

        return keys;
    }

    /// <summary>The key of a device that counts now; null where two claim to be it.</summary>
    public DevicePublicKey? CurrentOf(DevicePublicKey root) => KeysOf(root)[^1] is var last && _claims.ContainsKey(last) ? null : last;

    /// <summary>The keys that claim to succeed one, and when.</summary>
    public IReadOnlyList<(DevicePublicKey Key, DateTimeOffset At)> ClaimsOn(DevicePublicKey key) => [.. (_claims.GetValueOrDefault(key) ?? []).Select(claim => (claim.Author, claim.At))];

    /// <summary>The keys of a device that do not count, or not any more, each with the claims that prove it to whoever has it.</summary>
    public IEnumerable<(DevicePublicKey Key, IReadOnlyList<RegistryEntry> Claims)> OutOfUse(DevicePublicKey root)
    {
        foreach (DevicePublicKey key in KeysOf(root))
        {
            if (_claims.GetValueOrDefault(key) is not { } claims)
            {
                yield break;
            }

            yield return (key, claims);

            // Of those that claim to be the next one each is proof against the others, and against what comes after them.
            foreach (RegistryEntry claim in claims.Count > 1 ? claims : [])
            {
                foreach (DevicePublicKey later in KeysOf(claim.Author))
                {
                    yield return (later, [.. claims.Where(other => other != claim)]);
                }
            }
        }
    }

    /// <summary>The entry with which a key's chain ends; null while it goes on.</summary>
    public RegistryEntry? EndOf(DevicePublicKey key) => _claims.GetValueOrDefault(key)?[0].Naming;
}
