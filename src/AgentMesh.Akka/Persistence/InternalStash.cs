using Akka.Actor;

namespace Akka.Persistence;

/// <summary>
/// Messages of one persistent actor that must wait: while it recovers or persists. They go back to the front of its mailbox one at a time, each
/// after the one before was handled, so that a command which persists again finds the rest still waiting in order.
/// </summary>
internal sealed class InternalStash(IStash mailbox, int capacity)
{
    private readonly LinkedList<Envelope> _waiting = new();
    private readonly Envelope[] _one = new Envelope[1];

    public int Count => _waiting.Count;

    public bool IsFull => _waiting.Count >= capacity;

    public void Add(Envelope envelope) => _waiting.AddLast(envelope);

    /// <summary>Puts messages before all that wait, keeping their order.</summary>
    public void Prepend(IEnumerable<Envelope> envelopes)
    {
        LinkedListNode<Envelope>? at = null;
        foreach (Envelope envelope in envelopes)
        {
            at = at is null ? _waiting.AddFirst(envelope) : _waiting.AddAfter(at, envelope);
        }
    }

    /// <summary>Returns the oldest message to the front of the mailbox; false when none waits.</summary>
    public bool ReturnOne()
    {
        if (_waiting.First is not { } first)
        {
            return false;
        }

        _waiting.RemoveFirst();
        _one[0] = first.Value;
        mailbox.Prepend(_one);
        mailbox.Unstash();
        return true;
    }

    /// <summary>Returns everything, in order: for the next incarnation, or for the dead letters.</summary>
    public void ReturnAll()
    {
        if (_waiting.Count > 0)
        {
            mailbox.Prepend([.. _waiting]);
            _waiting.Clear();
            mailbox.UnstashAll();
        }
    }
}

/// <summary>The stash that a persistent actor's own code uses. What it releases is handled before anything that waits in the internal stash.</summary>
internal sealed class CommandStash(Eventsourced actor, InternalStash target) : IStash
{
    private readonly LinkedList<Envelope> _stashed = new();

    public bool IsEmpty => _stashed.Count == 0;

    public bool NonEmpty => _stashed.Count > 0;

    public bool IsFull => false;

    public int Count => _stashed.Count;

    public int Capacity => -1;

    public void Stash()
    {
        Envelope current = actor.CurrentEnvelope();
        if (_stashed.Last is { } last && ReferenceEquals(last.Value.Message, current.Message) && ReferenceEquals(last.Value.Sender, current.Sender))
        {
            throw new IllegalActorStateException($"the message {current.Message} is stashed already");
        }

        _stashed.AddLast(current);
    }

    public void Unstash()
    {
        if (_stashed.First is { } first)
        {
            _stashed.RemoveFirst();
            target.Prepend([first.Value]);
        }
    }

    public void UnstashAll()
    {
        target.Prepend(_stashed);
        _stashed.Clear();
    }

    public void UnstashAll(Func<Envelope, bool> predicate)
    {
        target.Prepend(_stashed.Where(predicate));
        _stashed.Clear();
    }

    public IEnumerable<Envelope> ClearStash()
    {
        Envelope[] all = [.. _stashed];
        _stashed.Clear();
        return all;
    }

    public void Prepend(IEnumerable<Envelope> envelopes)
    {
        foreach (Envelope envelope in envelopes.Reverse())
        {
            _stashed.AddFirst(envelope);
        }
    }
}
