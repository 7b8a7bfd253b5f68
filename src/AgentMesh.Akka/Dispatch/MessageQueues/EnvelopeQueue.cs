using Akka.Actor;

namespace Akka.Dispatch.MessageQueues;

/// <summary>
/// A queue of envelopes with many producers and one consumer, in array segments: no allocation per message. A segment is a ring
/// whose slots carry the ticket they wait for; when it is full it is frozen and a larger one is linked behind it.
/// Messages of one producer stay in order: it takes tickets one after the other and never goes back to a frozen segment.
/// </summary>
/// <remarks>
/// A producer takes its ticket with an interlocked operation before it looks at the state of the mailbox; the consumer, after giving
/// up the mailbox with an interlocked operation, compares tickets. So one of the two always sees the other: no wake-up is lost.
/// </remarks>
internal sealed class EnvelopeQueue
{
    // A small first segment keeps idle actors small; 256 slots of 24 bytes stay after a burst.
    private const int FirstSegment = 8;
    private const int LastSegment = 256;

    private readonly object _growing = new();
    private Segment _head = new(FirstSegment);
    private Segment _tail;

    public EnvelopeQueue() => _tail = _head;

    public bool IsEmpty
    {
        get
        {
            Segment head = Volatile.Read(ref _head);
            return head.Length == 0 && Volatile.Read(ref head.Next) is null;
        }
    }

    public int Count
    {
        get
        {
            int count = 0;
            for (Segment? segment = Volatile.Read(ref _head); segment is not null; segment = Volatile.Read(ref segment.Next))
                count += segment.Length;
            return count;
        }
    }

    public void Enqueue(in Envelope envelope)
    {
        while (true)
        {
            Segment tail = Volatile.Read(ref _tail);
            if (tail.TryAdd(envelope))
                return;
            Grow(tail);
        }
    }

    /// <summary>Only for the consumer.</summary>
    public bool TryDequeue(out Envelope envelope)
    {
        while (true)
        {
            Segment head = _head;
            if (head.TryTake(out envelope))
                return true;
            Segment? next = Volatile.Read(ref head.Next);
            if (next is null)
                return false;

            // Frozen before the next one was linked: what is in it now is all it will ever have.
            if (head.TryTake(out envelope))
                return true;
            Volatile.Write(ref _head, next);
        }
    }

    private void Grow(Segment full)
    {
        lock (_growing)
        {
            if (!ReferenceEquals(_tail, full))
                return;
            full.Freeze();
            var next = new Segment(Math.Min(LastSegment, full.Capacity * 2));
            Volatile.Write(ref full.Next, next);
            Volatile.Write(ref _tail, next);
        }
    }

    private struct Slot
    {
        public object Message;
        public IActorRef Sender;

        /// <summary>The ticket of the producer that may fill the slot; that plus one once it is filled.</summary>
        public int Turn;
    }

    private sealed class Segment
    {
        private readonly Slot[] _slots;
        private readonly int _mask;
        private int _taken;
        private int _tickets;

        public Segment? Next;

        public Segment(int capacity)
        {
            _slots = new Slot[capacity];
            _mask = capacity - 1;
            for (int i = 0; i < capacity; i++)
                _slots[i].Turn = i;
        }

        public int Capacity => _slots.Length;

        public int Length
        {
            get
            {
                int taken = Volatile.Read(ref _taken);
                int length = Volatile.Read(ref _tickets) - taken;

                // Open: 0 to the capacity; frozen: two capacities more.
                return Math.Clamp(length > _slots.Length ? length - FreezeOffset : length, 0, _slots.Length);
            }
        }

        // Far enough that no slot's turn can come up, whatever was taken meanwhile.
        private int FreezeOffset => _slots.Length * 2;

        public bool TryAdd(in Envelope envelope)
        {
            while (true)
            {
                int ticket = Volatile.Read(ref _tickets);
                ref Slot slot = ref _slots[ticket & _mask];
                int distance = Volatile.Read(ref slot.Turn) - ticket;
                if (distance < 0)
                    return false;
                if (distance > 0 || Interlocked.CompareExchange(ref _tickets, ticket + 1, ticket) != ticket)
                    continue;
                slot.Message = envelope.Message;
                slot.Sender = envelope.Sender;
                Volatile.Write(ref slot.Turn, ticket + 1);
                return true;
            }
        }

        public bool TryTake(out Envelope envelope)
        {
            int ticket = _taken;
            ref Slot slot = ref _slots[ticket & _mask];
            if (Volatile.Read(ref slot.Turn) != ticket + 1)
            {
                if (Length == 0)
                {
                    envelope = default;
                    return false;
                }

                // A producer holds the ticket and is about to fill the slot.
                var spin = default(SpinWait);
                while (Volatile.Read(ref slot.Turn) != ticket + 1)
                    spin.SpinOnce(sleep1Threshold: -1);
            }

            envelope = new Envelope(slot.Message, slot.Sender);
            slot.Message = null!;
            slot.Sender = null!;
            Volatile.Write(ref slot.Turn, ticket + _slots.Length);
            Volatile.Write(ref _taken, ticket + 1);
            return true;
        }

        public void Freeze() => Interlocked.Add(ref _tickets, FreezeOffset);
    }
}
