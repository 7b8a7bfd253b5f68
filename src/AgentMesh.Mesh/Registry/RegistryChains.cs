using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Registry;

/// <summary>The chains that this device has a copy of, and their bounds. Not thread-safe.</summary>
internal sealed class RegistryChains(DevicePublicKey self)
{
    public const int EntriesOfAuthorMax = 10_000;
    private const int AuthorsMax = 1_000;
    private const int EntriesOfOthersMax = 50_000;

    private readonly Dictionary<DevicePublicKey, List<RegistryEntry>> _chains = [];
    /// <summary>
    /// Whom others have put out everywhere, where this device has not spoken of them since. The entries of all chains stand in the file in the order in which they came, so a restart
    /// knows it too.
    /// </summary>
    private readonly HashSet<(DevicePublicKey Subject, DevicePublicKey By)> _heard = [];
    private int _entriesOfOthers;

    public IReadOnlyCollection<List<RegistryEntry>> All => _chains.Values;

    /// <summary>Whom others have put out everywhere, where this device has not spoken of them since.</summary>
    public IReadOnlySet<DevicePublicKey> PutOut => _heard.Select(heard => heard.Subject).ToHashSet();

    /// <summary>The devices of the mesh and those that were in it.</summary>
    public IEnumerable<DevicePublicKey> Ever =>
        _chains.Values.SelectMany(chain => chain).Where(entry => entry.Change == RegistryChange.Admit && entry.Subject != self).Select(entry => entry.Subject);

    /// <summary>Empty for one that is not there.</summary>
    public IReadOnlyList<RegistryEntry> Of(DevicePublicKey author) => _chains.GetValueOrDefault(author) ?? [];

    /// <summary>Entries that this copy has of each author's chain.</summary>
    public IReadOnlyDictionary<DeviceId, ulong> Heads() => _chains.ToDictionary(chain => chain.Key.Id, chain => (ulong)chain.Value.Count);

    /// <summary>What a copy with these heads lacks, in chain order.</summary>
    public IReadOnlyList<byte[]> EntriesAfter(IReadOnlyDictionary<DeviceId, ulong> heads, int most) =>
        [.. _chains.SelectMany(chain => chain.Value.Skip((int)Math.Min(heads.GetValueOrDefault(chain.Key.Id), int.MaxValue))).Take(most).Select(entry => entry.Bytes)];

    /// <summary>Whether it is the next of its chain, and there is room for it.</summary>
    public bool Fits(RegistryEntry entry)
    {
        bool isOwn = entry.Author == self;
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
        if (entry.Author != self)
        {
            _entriesOfOthers++;
            if (entry.IsEverywhere && entry.Subject != self)
            {
                _heard.Add((entry.Subject, entry.Author));
            }
            else if (entry.Change == RegistryChange.Admit)
            {
                _heard.Remove((entry.Subject, entry.Author));
            }
        }
        else if (entry.Change is RegistryChange.Admit or RegistryChange.Forget)
        {
            _heard.RemoveWhere(heard => heard.Subject == entry.Subject);
        }
    }
}
