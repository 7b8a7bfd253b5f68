using AgentMesh.Journal;
using AgentMesh.Journal.Postgres;
using Simulation.Engine;

namespace Simulation.Pools;

/// <summary>
/// The database of a pool as <see cref="PostgresSchemaSteps"/> has it: members, shards, and transactions that hold what they have touched until they end. Its clock is the loop's.
/// </summary>
internal sealed class PoolServer(SimLoop loop, SimDisk disk, TimeSpan lease)
{
    private readonly Dictionary<string, Member> _members = new(StringComparer.Ordinal);
    private readonly Dictionary<LeaseKey, Shard> _shards = [];
    private readonly List<PoolTransaction> _open = [];
    private readonly List<(LeaseKey Key, Action Then)> _awaited = [];

    public PoolTables Tables { get; } = new(disk);

    public LeaseHistory History { get; } = new(loop);

    /// <summary>Statements that were refused, because their epoch is not the newest one of the shard.</summary>
    public int Fenced { get; private set; }

    /// <summary>Transactions that were ended because nothing came for half a lease.</summary>
    public int Idle { get; private set; }

    /// <summary>Takings of shards whose owner's lease had run out.</summary>
    public int TakenOver { get; private set; }

    /// <summary>Transactions that were carried out a second time.</summary>
    public int Repeats { get; private set; }

    /// <summary>By when the lease of a member ends; it is none where it has none.</summary>
    public TimeSpan? LeaseOf(string member) => _members.GetValueOrDefault(member)?.ExpiresAt;

    public void Join(string member, string device, string before)
    {
        _members.Remove(before);
        _members.Add(member, new Member(device, loop.Now) { ExpiresAt = loop.Now + lease });
    }

    public bool Renew(string member)
    {
        if (!Lives(member))
        {
            return false;
        }

        _members[member].ExpiresAt = loop.Now + lease;
        return true;
    }

    public void Leave(string member) => _members.Remove(member);

    public IReadOnlyList<PoolMember> Members() =>
    [
        .. _members.Select(each => new PoolMember(
            each.Key, each.Value.Device, each.Value.Device, SimClock.Begin + each.Value.Since, each.Value.ExpiresAt - loop.Now, _shards.Values.Count(shard => shard.Owner == each.Key), 0)),
    ];

    public IReadOnlySet<LeaseKey> Held(string butOf) => _shards.Where(shard => shard.Value.Owner is { } owner && owner != butOf && Lives(owner)).Select(shard => shard.Key).ToHashSet();

    public void Release(string member, IEnumerable<LeaseKey> keys)
    {
        foreach (LeaseKey key in keys)
        {
            if (_shards.TryGetValue(key, out Shard? shard) && shard.Owner == member)
            {
                shard.Owner = null;
            }
        }
    }

    /// <summary>Waits for the transactions that have written to the shard.</summary>
    public void Take(LeaseKey key, string member, Action<ShardTaking> answer) => WhenFree(transaction => transaction.Shards.Contains(key), () => answer(Take(key, member)));

    /// <summary>Once, when another member than the present owner has taken the shard.</summary>
    public void WhenMoved(LeaseKey key, Action then) => _awaited.Add((key, then));

    /// <summary>Does what the transaction was to do once more, as one of its own.</summary>
    public void Repeat(PoolTransaction transaction)
    {
        var again = new PoolTransaction(transaction.Members, transaction.Statements);
        Begin(again, _ =>
        {
            Repeats++;
            Commit(again);
        });
    }

    /// <summary>Begins a transaction with these statements; what they touch that another one holds, they wait for.</summary>
    /// <param name="answer">One row for each.</param>
    public void Begin(PoolTransaction transaction, Action<IReadOnlyList<object[]>> answer) => WhenFree(
        other => other.Entities.Overlaps(transaction.Statements.Where(IsCurrent).Select(statement => statement.Id)),
        () =>
        {
            if (transaction.IsOver)
            {
                return;
            }

            _open.Add(transaction);
            var rows = new List<object[]>();
            foreach (PoolStatement statement in transaction.Statements)
            {
                if (IsCurrent(statement))
                {
                    // Shared with others that write to the shard; who takes it waits.
                    transaction.Shards.Add(statement.Key);
                    transaction.Entities.Add(statement.Id);
                }
                else
                {
                    Fenced++;
                }

                rows.Add(Tables.Execute(transaction, statement, EpochOf(statement.Key)));
            }

            loop.After(lease / 2, null, () =>
            {
                if (!transaction.IsOver)
                {
                    Idle++;
                    End(transaction);
                }
            });
            answer(rows);
        });

    /// <returns>False where the transaction is over, and has stored nothing.</returns>
    public bool Commit(PoolTransaction transaction)
    {
        if (transaction.IsOver)
        {
            return transaction.IsCommitted;
        }

        foreach (PoolChange change in transaction.Changes)
        {
            History.Written(change.Statement, transaction.Members);
            change.Apply();
        }

        transaction.IsCommitted = true;
        End(transaction);
        return true;
    }

    /// <summary>The connection is gone, or nothing came for too long.</summary>
    public void End(PoolTransaction transaction)
    {
        transaction.IsOver = true;
        _open.Remove(transaction);
        foreach (Action waiting in transaction.Waiting.ToArray())
        {
            waiting();
        }
    }

    private long EpochOf(LeaseKey key) => _shards.GetValueOrDefault(key)?.Epoch ?? 0;

    /// <summary>What is not is refused, and holds nothing.</summary>
    private bool IsCurrent(PoolStatement statement) => statement.Epoch == EpochOf(statement.Key);

    private bool Lives(string member) => LeaseOf(member) > loop.Now;

    private ShardTaking Take(LeaseKey key, string member)
    {
        if (!_shards.TryGetValue(key, out Shard? shard))
        {
            _shards.Add(key, shard = new Shard());
        }

        if (!Lives(member))
        {
            return new ShardTaking(ShardTakingStatus.NoLease, 0, "");
        }

        if (shard.Owner is { } owner && owner != member && Lives(owner))
        {
            return new ShardTaking(ShardTakingStatus.HeldByAnother, 0, owner);
        }

        TakenOver += shard.Owner is not null && shard.Owner != member ? 1 : 0;
        bool isMoved = shard.Owner != member;
        shard.Owner = member;
        shard.Epoch++;
        History.Taken(key, shard.Epoch, member);
        foreach ((LeaseKey Key, Action Then) awaited in isMoved ? _awaited.Where(each => each.Key == key).ToArray() : [])
        {
            _awaited.Remove(awaited);
            awaited.Then();
        }

        return new ShardTaking(ShardTakingStatus.Taken, shard.Epoch, "");
    }

    private void WhenFree(Func<PoolTransaction, bool> isHeldBy, Action then)
    {
        if (_open.Find(transaction => isHeldBy(transaction)) is { } holder)
        {
            holder.Waiting.Add(() => WhenFree(isHeldBy, then));
        }
        else
        {
            then();
        }
    }

    private sealed class Member(string device, TimeSpan since)
    {
        public string Device => device;

        public TimeSpan Since => since;

        public TimeSpan ExpiresAt { get; set; }
    }

    private sealed class Shard
    {
        public long Epoch { get; set; }

        public string? Owner { get; set; }
    }
}
