using Akka.Persistence;

namespace Simulation.Engine;

/// <summary>What a write comes to.</summary>
internal enum DiskMood
{
    Well,

    /// <summary>Nothing is stored, and the writer is told.</summary>
    Refuses,

    /// <summary>It is stored, and the writer is told that it failed.</summary>
    LosesAnswers,

    /// <summary>It is stored, and the writer learns it seconds later.</summary>
    IsSlow,
}

/// <summary>An event as it was written.</summary>
internal sealed record StoredEvent(string Id, long Sequence, string Manifest, byte[] Bytes);

/// <summary>The journal's files: what was written is there, also after the process was killed.</summary>
internal sealed class SimDisk(SimLoop loop)
{
    private readonly Dictionary<string, long> _highest = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _epochs = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<StoredEvent>> _events = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _last = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _reads = new(StringComparer.Ordinal);
    private long _epoch;

    public DiskMood Mood { get; set; }

    /// <summary>What happens at the moment at which something is stored, and before anybody learns of it.</summary>
    public Action<StoredEvent> Stored { get; set; } = static _ => { };

    /// <summary>Writes that were refused: of an owner that does not know that it is none any more.</summary>
    public int Fenced { get; private set; }

    /// <summary>Everything that was ever stored, in order; deletion leaves it.</summary>
    public List<StoredEvent> History { get; } = [];

    public List<(SnapshotMetadata Metadata, string Manifest, byte[] Bytes)> Snapshots { get; } = [];

    /// <summary>The last event of each entity.</summary>
    public IEnumerable<(string Id, string Manifest)> Last => _last.Select(last => (last.Key, last.Value));

    public string? LastManifest(string id) => _last.GetValueOrDefault(id);

    /// <summary>How often somebody read the events of an entity.</summary>
    public int ReadsOf(string id) => _reads.GetValueOrDefault(id);

    /// <summary>An entity that must not be read more often.</summary>
    public (string Id, int Times)? ReadsMost { get; set; }

    /// <summary>As a disk has it that was not written by this program.</summary>
    public void Plant(StoredEvent planted) => TryStore(0, planted);

    public long Highest(string id) => _highest.GetValueOrDefault(id);

    /// <summary>The number of a journal that starts: higher than any before.</summary>
    public long NextEpoch() => ++_epoch;

    /// <returns>False, and nothing is stored, when a later journal has written to the entity.</returns>
    public bool TryStore(long epoch, StoredEvent written)
    {
        if (epoch < _epochs.GetValueOrDefault(written.Id))
        {
            Fenced++;
            return false;
        }

        // What an entity writes follows on what it has read: two writers at once would show here.
        loop.Require(Highest(written.Id) + 1 == written.Sequence, () => $"{written.Id} has {Highest(written.Id)} events, and one with number {written.Sequence} is written: it has two writers");
        _epochs[written.Id] = epoch;
        _highest[written.Id] = written.Sequence;
        _last[written.Id] = written.Manifest;
        if (!_events.TryGetValue(written.Id, out List<StoredEvent>? events))
        {
            _events.Add(written.Id, events = []);
        }

        events.Add(written);
        History.Add(written);
        Stored(written);
        return true;
    }

    public IReadOnlyList<StoredEvent> Read(string id, long from, long to, long max)
    {
        _reads[id] = _reads.GetValueOrDefault(id) + 1;
        loop.Require(ReadsMost is not { } most || most.Id != id || _reads[id] <= most.Times, () => $"{id} cannot be read, and was {_reads[id]} times");
        return [.. _events.GetValueOrDefault(id, []).Where(each => each.Sequence >= from && each.Sequence <= to).Take((int)Math.Min(max, int.MaxValue))];
    }

    public void Delete(string id, long to) => _events.GetValueOrDefault(id, []).RemoveAll(each => each.Sequence <= to);
}
