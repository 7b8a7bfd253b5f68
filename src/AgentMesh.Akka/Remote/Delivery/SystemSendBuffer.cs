namespace Akka.Remote;

/// <summary>
/// The sending half of exactly-once delivery: numbers items from 1 and keeps each until it is acknowledged. Bounded; not thread-safe.
/// </summary>
internal sealed class SystemSendBuffer<T>(int capacity)
{
    private readonly LinkedList<Entry> _unacked = [];
    private long _last;

    public int Count => _unacked.Count;

    public bool IsFull => _unacked.Count >= capacity;

    /// <summary>The number of the last item that was added; 0 before the first.</summary>
    public long LastSequence => _last;

    /// <summary>When the oldest item that is not acknowledged was added; null when there is none.</summary>
    public DateTimeOffset? OldestSince => _unacked.First?.Value.Added;

    public IEnumerable<(long Sequence, T Item)> Unacknowledged => _unacked.Select(static e => (e.Sequence, e.Item));

    /// <returns>The number of the item.</returns>
    /// <exception cref="InvalidOperationException">The buffer is full: ask <see cref="IsFull"/> first.</exception>
    public long Add(T item, DateTimeOffset now)
    {
        if (IsFull)
            throw new InvalidOperationException($"{capacity} items are waiting for their acknowledgement");
        _unacked.AddLast(new Entry(++_last, item, now));
        return _last;
    }

    /// <summary>Forgets what has arrived. An acknowledgement of something never sent is ignored: it belongs to an older incarnation.</summary>
    /// <returns>Items below the highest acknowledged number that have not arrived: they were lost or are late, and are worth sending again.</returns>
    public IReadOnlyList<(long Sequence, T Item)> Acknowledge(SystemAckRange ack)
    {
        if (ack.Highest > _last)
            return [];
        List<(long, T)> missing = [];
        HashSet<long> beyond = [.. ack.Beyond];
        LinkedListNode<Entry>? node = _unacked.First;
        while (node is not null && node.Value.Sequence <= ack.Highest)
        {
            LinkedListNode<Entry>? next = node.Next;
            if (node.Value.Sequence <= ack.Through || beyond.Contains(node.Value.Sequence))
                _unacked.Remove(node);
            else
                missing.Add((node.Value.Sequence, node.Value.Item));
            node = next;
        }

        return missing;
    }

    /// <summary>Starts again at 1 for a new receiver; what was waiting is returned.</summary>
    public IReadOnlyList<T> Reset()
    {
        T[] dropped = [.. _unacked.Select(static e => e.Item)];
        _unacked.Clear();
        _last = 0;
        return dropped;
    }

    private readonly record struct Entry(long Sequence, T Item, DateTimeOffset Added);
}

/// <param name="Through">Everything up to and including it has arrived.</param>
/// <param name="Beyond">Numbers above <paramref name="Through"/> that have arrived as well, ascending.</param>
internal readonly record struct SystemAckRange(long Through, IReadOnlyList<long> Beyond)
{
    public long Highest => Beyond.Count == 0 ? Through : Math.Max(Through, Beyond[^1]);
}
