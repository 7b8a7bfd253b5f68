namespace AgentMesh.Beacon.Core;

/// <summary>
/// Datagrams that wait because all devices together send more than the beacon may relay. Each device has a queue of its own, and they are served in turn with the same
/// number of bytes (deficit round robin), so that one that sends a hundred times as much gets no more than the others. Not thread-safe.
/// </summary>
internal sealed class FairQueue<TFrom>(int bytesMaxOfEach, int bytesMax)
    where TFrom : class
{
    // At least one datagram of any length that Ethernet carries.
    private const int Quantum = 1600;

    private readonly Dictionary<TFrom, Waiting> _all = [];
    private readonly Queue<Waiting> _turns = new();

    public int Bytes { get; private set; }

    /// <summary>How many devices have something waiting.</summary>
    public int Count => _turns.Count;

    public bool IsEmpty => _turns.Count == 0;

    /// <returns>False when it is lost: the device has more waiting than its share of the room.</returns>
    public bool TryEnqueue(TFrom from, byte[] datagram)
    {
        if (!_all.TryGetValue(from, out Waiting? waiting))
        {
            waiting = new Waiting(from);
        }

        if (waiting.Bytes + datagram.Length > bytesMaxOfEach || Bytes + datagram.Length > bytesMax)
        {
            return false;
        }

        if (waiting.Datagrams.Count == 0)
        {
            _all[from] = waiting;
            _turns.Enqueue(waiting);
        }

        waiting.Datagrams.Enqueue(datagram);
        waiting.Bytes += datagram.Length;
        Bytes += datagram.Length;
        return true;
    }

    /// <summary>The next one, if <paramref name="mayTake"/> allows its length.</summary>
    public bool TryDequeue(Func<int, bool> mayTake, out TFrom? from, out byte[] datagram)
    {
        (from, datagram) = (null, []);
        while (_turns.TryPeek(out Waiting? waiting))
        {
            if (!waiting.HasTurn)
            {
                waiting.HasTurn = true;
                waiting.Deficit += Quantum;
            }

            byte[] next = waiting.Datagrams.Peek();
            if (next.Length > waiting.Deficit)
            {
                waiting.HasTurn = false;
                _turns.Enqueue(_turns.Dequeue());
                continue;
            }

            if (!mayTake(next.Length))
            {
                return false;
            }

            waiting.Datagrams.Dequeue();
            waiting.Deficit -= next.Length;
            waiting.Bytes -= next.Length;
            Bytes -= next.Length;
            if (waiting.Datagrams.Count == 0)
            {
                _turns.Dequeue();
                _all.Remove(waiting.From);
            }

            (from, datagram) = (waiting.From, next);
            return true;
        }

        return false;
    }

    /// <summary>What a device has waiting is lost.</summary>
    public void Remove(TFrom from)
    {
        if (!_all.Remove(from, out Waiting? waiting))
        {
            return;
        }

        Bytes -= waiting.Bytes;
        for (int i = _turns.Count; i > 0; i--)
        {
            Waiting each = _turns.Dequeue();
            if (!ReferenceEquals(each, waiting))
            {
                _turns.Enqueue(each);
            }
        }
    }

    private sealed class Waiting(TFrom from)
    {
        public TFrom From => from;

        public Queue<byte[]> Datagrams { get; } = new();

        public int Bytes { get; set; }

        public int Deficit { get; set; }

        public bool HasTurn { get; set; }
    }
}
