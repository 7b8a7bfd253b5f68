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
}

/// <summary>An event as it was written.</summary>
internal sealed record StoredEvent(string Id, long Sequence, string Manifest, byte[] Bytes);

/// <summary>The journal's files: what was written is there, also after the process was killed.</summary>
internal sealed class SimDisk
{
    private readonly Dictionary<string, long> _highest = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<StoredEvent>> _events = new(StringComparer.Ordinal);

    public DiskMood Mood { get; set; }

    /// <summary>Everything that was ever stored, in order; deletion leaves it.</summary>
    public List<StoredEvent> History { get; } = [];

    public List<(SnapshotMetadata Metadata, string Manifest, byte[] Bytes)> Snapshots { get; } = [];

    /// <summary>The last event of each entity.</summary>
    public IEnumerable<(string Id, string Manifest)> Last => _last.Select(last => (last.Key, last.Value));

    private readonly Dictionary<string, string> _last = new(StringComparer.Ordinal);

    public long Highest(string id) => _highest.GetValueOrDefault(id);

    public void Store(StoredEvent written)
    {
        // What an entity writes follows on what it has read: two writers at once would show here.
        Assert.Equal(Highest(written.Id) + 1, written.Sequence);
        _highest[written.Id] = written.Sequence;
        _last[written.Id] = written.Manifest;
        if (!_events.TryGetValue(written.Id, out List<StoredEvent>? events))
        {
            _events.Add(written.Id, events = []);
        }

        events.Add(written);
        History.Add(written);
    }

    public IReadOnlyList<StoredEvent> Read(string id, long from, long to, long max) =>
        [.. _events.GetValueOrDefault(id, []).Where(each => each.Sequence >= from && each.Sequence <= to).Take((int)Math.Min(max, int.MaxValue))];

    public void Delete(string id, long to) => _events.GetValueOrDefault(id, []).RemoveAll(each => each.Sequence <= to);
}
