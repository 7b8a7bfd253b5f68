using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Registry;

/// <summary>The chains that this device has a copy of, and their bounds. Not thread-safe.</summary>
internal sealed class RegistryChains
{
    public const int EntriesOfAuthorMax = 10_000;
    private const int AuthorsMax = 1_000;
    private const int EntriesOfOthersMax = 50_000;

    private readonly Dictionary<DevicePublicKey, List<RegistryEntry>> _chains = [];
    private readonly HashSet<DevicePublicKey> _own;

    // The entries of all chains stand in the file in the order in which they came, so a restart knows it too.
    private readonly HashSet<(DevicePublicKey Subject, DevicePublicKey By)> _heard = [];
    private int _entriesOfOthers;

    /// <param name="own">The keys of this device, the first and those after it.</param>
    public RegistryChains(IEnumerable<DevicePublicKey> own) => _own = [.. own];

    public Successions Successions { get; } = new();

    public IReadOnlyCollection<List<RegistryEntry>> All => _chains.Values;

    /// <summary>Whom others have put out everywhere, where this device has not spoken of them since: the first key of each.</summary>
    public IReadOnlySet<DevicePublicKey> PutOut => _heard.Select(heard => RootOf(heard.Subject)).ToHashSet();

    /// <summary>The devices of the mesh and those that were in it, by the beginning of their ids.</summary>
    public IReadOnlyList<DeviceId> FindEver(string idPrefix) =>
        [.. Ever.Select(key => RootOf(key).Id).Where(id => id.ToString().StartsWith(idPrefix, StringComparison.OrdinalIgnoreCase)).Distinct()];

    /// <summary>The keys of one of them; empty for one that never was.</summary>
    public IReadOnlyList<DevicePublicKey> EverKeysOf(DeviceId device) => [.. Ever.Select(RootOf).Where(root => root.Id == device).Distinct().SelectMany(Successions.KeysOf)];

    /// <summary>Empty for one that is not there.</summary>
    public IReadOnlyList<RegistryEntry> Of(DevicePublicKey author) => _chains.GetValueOrDefault(author) ?? [];

    /// <summary>What a device has said, with all its keys: of each as far as it counts, and none where two claim to succeed it.</summary>
    public IReadOnlyList<RegistryEntry> OfDevice(DevicePublicKey root) => Successions.KeysOf(root) is [{ } only] && Successions.EndOf(only) is null
        ? Of(only)
        : [.. Successions.KeysOf(root).SelectMany(key => Of(key).Take((int)Math.Min((Successions.EndOf(key)?.Sequence ?? int.MaxValue) - 1, int.MaxValue)))];

    /// <summary>The first key of the device that a key speaks or spoke for.</summary>
    public DevicePublicKey RootOf(DevicePublicKey key) => Successions.RootOf(key) ?? key;

    public bool IsOwn(DevicePublicKey key) => _own.Contains(key);

    /// <summary>This device has another key.</summary>
    public void AddOwn(DevicePublicKey key) => _own.Add(key);

    /// <summary>Entries that this copy has of each author's chain.</summary>
    public Dictionary<DeviceId, ulong> Heads() => _chains.ToDictionary(chain => chain.Key.Id, chain => (ulong)chain.Value.Count);

    /// <summary>What a copy with these heads lacks, in chain order.</summary>
    public IReadOnlyList<byte[]> EntriesAfter(IReadOnlyDictionary<DeviceId, ulong> heads, int most) =>
        [.. _chains.SelectMany(chain => chain.Value.Skip((int)Math.Min(heads.GetValueOrDefault(chain.Key.Id), int.MaxValue))).Take(most).Select(entry => entry.Bytes)];

    private IEnumerable<DevicePublicKey> Ever =>
        _chains.Values.SelectMany(chain => chain).Where(entry => entry.Change == RegistryChange.Admit && !_own.Contains(entry.Subject)).Select(entry => entry.Subject);

    /// <summary>Whether it is the next of its chain, and there is room for it.</summary>
    public bool Fits(RegistryEntry entry)
    {
        bool isOwn = _own.Contains(entry.Author);
        if ((Successions.EndOf(entry.Author) is { } end && (entry.Sequence > end.Sequence || (entry.Sequence == end.Sequence && !entry.Hash.AsSpan().SequenceEqual(end.Hash))))
            || (entry.Change == RegistryChange.Succeed && !Successions.Fits(entry)))
        {
            return false;
        }

        return _chains.TryGetValue(entry.Author, out List<RegistryEntry>? chain)
            ? chain.Count < EntriesOfAuthorMax && (isOwn || _entriesOfOthers < EntriesOfOthersMax) && entry.Follows(chain[^1])
            : (isOwn || (_chains.Count < AuthorsMax && _entriesOfOthers < EntriesOfOthersMax)) && entry.Follows(null);
    }

    public bool Has(RegistryEntry entry) =>
        _chains.TryGetValue(entry.Author, out List<RegistryEntry>? chain) && entry.Sequence <= (ulong)chain.Count && chain[(int)entry.Sequence - 1].Hash.AsSpan().SequenceEqual(entry.Hash);

    /// <summary>One that fits.</summary>
    public void Keep(RegistryEntry entry)
    {
        if (!_chains.TryGetValue(entry.Author, out List<RegistryEntry>? chain))
        {
            _chains.Add(entry.Author, chain = []);
        }

        chain.Add(entry);
        if (entry.Change == RegistryChange.Succeed)
        {
            Successions.Keep(entry);
        }

        if (!_own.Contains(entry.Author))
        {
            _entriesOfOthers++;
            if (entry.IsEverywhere && !_own.Contains(entry.Subject))
            {
                _heard.Add((entry.Subject, entry.Author));
            }
            else if (entry.Change == RegistryChange.Admit)
            {
                _heard.RemoveWhere(heard => RootOf(heard.Subject) == RootOf(entry.Subject) && RootOf(heard.By) == RootOf(entry.Author));
            }
        }
        else if (entry.Change is RegistryChange.Admit or RegistryChange.Forget)
        {
            _heard.RemoveWhere(heard => RootOf(heard.Subject) == RootOf(entry.Subject));
        }
    }
}
