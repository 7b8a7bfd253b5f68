namespace AgentMesh.Workers.Supervision;

/// <summary>
/// Which ends of attempts a device tells their home, and when again: each until it is acknowledged, ever more rarely, and only so many at a time that the home
/// records them faster than they are repeated. Of those that were not told yet the newest and the oldest go in turn: somebody may wait for the newest now, and
/// the oldest has waited longest. Knows no actor and no clock.
/// </summary>
/// <typeparam name="TKey">How an attempt is called.</typeparam>
/// <param name="random">In [0, 1), so that what was told at once is not repeated at once.</param>
public sealed class EndsToTell<TKey>(Func<double> random)
    where TKey : notnull
{
    /// <summary>Told, and neither acknowledged nor given time enough for it. Repeats take half of it at most.</summary>
    public const int Window = 256;

    public static readonly TimeSpan RepeatMin = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan RepeatMax = TimeSpan.FromSeconds(5);

    private const double Jitter = 0.25;

    private readonly LinkedList<TKey> _new = new();
    private readonly Dictionary<TKey, End> _ends = [];
    private readonly PriorityQueue<TKey, TimeSpan> _due = new();
    private readonly Queue<TKey> _again = new();
    private int _underWay;
    private bool _newestNext = true;

    /// <summary>Ends that wait to be told for the first time.</summary>
    public int Waiting => _new.Count;

    public int UnderWay => _underWay;

    public bool IsEmpty => _ends.Count == 0;

    /// <summary>An attempt has ended. Nothing is said of one that is known.</summary>
    public void Add(TKey key)
    {
        if (!_ends.ContainsKey(key))
        {
            _ends[key] = new End { Place = _new.AddLast(key) };
        }
    }

    /// <summary>It was acknowledged, or nobody wants to hear it any more.</summary>
    public void Remove(TKey key)
    {
        if (_ends.Remove(key, out End? end))
        {
            _underWay -= end.IsUnderWay ? 1 : 0;
            if (end.Place is { } place)
            {
                _new.Remove(place);
            }
        }
    }

    /// <summary>Whether it waits to be told for the first time: until then its home is told that it lives.</summary>
    public bool IsUntold(TKey key) => _ends.TryGetValue(key, out End? end) && end.Place is not null;

    /// <summary>What is to be told now; each is told by then.</summary>
    public IEnumerable<TKey> Next(TimeSpan now)
    {
        // Those that had their time make room, and wait for their turn behind each other.
        while (_due.TryPeek(out TKey? key, out TimeSpan due) && due <= now)
        {
            _due.Dequeue();
            if (_ends.TryGetValue(key, out End? end) && end.IsUnderWay && end.Due == due)
            {
                end.IsUnderWay = false;
                _underWay--;
                _again.Enqueue(key);
            }
        }

        while (_underWay < Window && _new.Count > 0)
        {
            LinkedListNode<TKey> node = _newestNext ? _new.Last! : _new.First!;
            _newestNext = !_newestNext;
            _new.Remove(node);
            _ends[node.Value].Place = null;
            Tell(node.Value, now);
            yield return node.Value;
        }

        while (_underWay < Window / 2 && _again.TryDequeue(out TKey? key))
        {
            if (_ends.ContainsKey(key))
            {
                Tell(key, now);
                yield return key;
            }
        }
    }

    private void Tell(TKey key, TimeSpan now)
    {
        End end = _ends[key];
        TimeSpan wait = end.Wait;
        end.IsUnderWay = true;
        end.Due = now + (wait * (1 + (Jitter * random())));
        end.Wait = wait + wait < RepeatMax ? wait + wait : RepeatMax;
        _underWay++;
        _due.Enqueue(key, end.Due);
    }

    private sealed class End
    {
        /// <summary>Among those that were never told.</summary>
        public LinkedListNode<TKey>? Place { get; set; }

        public bool IsUnderWay { get; set; }

        public TimeSpan Wait { get; set; } = RepeatMin;

        public TimeSpan Due { get; set; }
    }
}
