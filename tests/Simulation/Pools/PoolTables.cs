using AgentMesh.Journal;
using Simulation.Engine;
using StoredEvent = AgentMesh.Journal.StoredEvent;

namespace Simulation.Pools;

/// <summary>Events and snapshots in the database of a pool. Each event that is stored goes to a <see cref="SimDisk"/> as well, whose history is checked in the end.</summary>
internal sealed class PoolTables(SimDisk disk)
{
    private readonly Dictionary<string, Entity> _entities = new(StringComparer.Ordinal);
    private readonly List<StoredSnapshot> _snapshots = [];
    private long _keys;

    /// <summary>What the statement answers, with what is committed and what the transaction has done itself; its effect is kept for the commit.</summary>
    /// <param name="epoch">The newest one of the shard.</param>
    public object[] Execute(PoolTransaction transaction, PoolStatement statement, long epoch)
    {
        if (statement.Function == "append")
        {
            return Append(transaction, statement, epoch);
        }

        if (statement.Epoch != epoch)
        {
            return [false];
        }

        Action apply = statement.Function switch
        {
            "delete_events" => () => _entities.GetValueOrDefault(statement.Id)?.Events.RemoveAll(each => each.SequenceNr <= statement.At<long>(4)),
            "save_snapshot" => () =>
            {
                _snapshots.RemoveAll(each => each.PersistenceId == statement.Id && each.SequenceNr == statement.At<long>(4));
                _snapshots.Add(new StoredSnapshot(statement.Id, statement.At<long>(4), statement.At<long>(5), statement.At<int>(6), statement.At<string>(7), statement.At<byte[]>(8)));
            },
            "delete_snapshots" => () => _snapshots.RemoveAll(each => each.PersistenceId == statement.Id && each.SequenceNr >= statement.At<long>(4) && each.SequenceNr <= statement.At<long>(5)),
            _ => throw new NotSupportedException($"the model of the database has no {statement.Function}"),
        };
        transaction.Changes.Add(new PoolChange(statement, apply));
        return [true];
    }

    public long Highest(string id) => _entities.GetValueOrDefault(id)?.Highest ?? 0;

    public IReadOnlyList<StoredEvent> Events(string id, long from, long to, long max) =>
        [.. (_entities.GetValueOrDefault(id)?.Events ?? []).Where(each => each.SequenceNr >= from && each.SequenceNr <= to).Take((int)Math.Min(max, int.MaxValue))];

    public StoredSnapshot? Snapshot(string id, SnapshotBounds bounds) => _snapshots
        .Where(each => each.PersistenceId == id && each.SequenceNr >= bounds.MinSequenceNr && each.SequenceNr <= bounds.MaxSequenceNr && each.Timestamp >= bounds.MinTimestamp && each.Timestamp <= bounds.MaxTimestamp)
        .MaxBy(each => each.SequenceNr);

    public IReadOnlyList<EntitySummary> Open(string prefix, IReadOnlySet<string> closed, int limit, Func<string, bool>? wanted) =>
    [
        .. _entities.Where(each => each.Key.StartsWith(prefix, StringComparison.Ordinal) && !closed.Contains(each.Value.Events[^1].Manifest) && wanted?.Invoke(each.Key) != false)
            .OrderBy(each => each.Value.Key)
            .Take(limit)
            .Select(each => new EntitySummary(each.Value.Key, each.Key, each.Value.Highest, each.Value.Events[^1].Manifest, 0, 0)),
    ];

    private object[] Append(PoolTransaction transaction, PoolStatement statement, long epoch)
    {
        string id = statement.Id;
        long last = statement.At<long>(6);
        long highest = transaction.Changes.LastOrDefault(change => change.Statement.Id == id && change.Statement.Function == "append")?.Statement.At<long>(6) ?? Highest(id);
        if (epoch != statement.Epoch)
        {
            return [(int)AppendStatus.OlderEpoch, highest, epoch];
        }

        if (highest != statement.At<long>(5))
        {
            return [(int)AppendStatus.WrongSequence, highest, epoch];
        }

        transaction.Changes.Add(new PoolChange(statement, () => Store(statement)));
        return [(int)AppendStatus.Stored, last, epoch];
    }

    private void Store(PoolStatement statement)
    {
        if (!_entities.TryGetValue(statement.Id, out Entity? entity))
        {
            _entities.Add(statement.Id, entity = new Entity(++_keys));
        }

        long[] sequences = statement.At<long[]>(8);
        for (int i = 0; i < sequences.Length; i++)
        {
            string manifest = statement.At<string[]>(10)[i];
            byte[] payload = statement.At<byte[][]>(11)[i];
            entity.Events.Add(new StoredEvent(0, statement.Id, sequences[i], statement.Epoch, statement.At<int[]>(9)[i], manifest, payload, statement.At<string[]>(12)[i], statement.At<long[]>(13)[i]));
            disk.TryStore(0, new Engine.StoredEvent(statement.Id, sequences[i], manifest, payload));
        }

        entity.Highest = statement.At<long>(6);
    }

    private sealed class Entity(long key)
    {
        public long Key => key;

        public long Highest { get; set; }

        public List<StoredEvent> Events { get; } = [];
    }
}
