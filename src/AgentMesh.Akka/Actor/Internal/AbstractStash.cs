using Akka.Dispatch;
using Akka.Util;

namespace Akka.Actor.Internal;

/// <summary>A stash on the front of the actor's mailbox.</summary>
public abstract class AbstractStash : IStash
{
    private readonly ActorCell _cell;
    private readonly IDequeBasedMessageQueueSemantics _mailbox;
    private LinkedList<Envelope> _stashed = new();

    protected AbstractStash(IActorContext context)
    {
        _cell = (ActorCell)context;
        _mailbox = _cell.Mailbox.MessageQueue as IDequeBasedMessageQueueSemantics
            ?? throw new NotSupportedException($"{_cell.Self} has a stash and needs a mailbox with a front, but its queue is a {_cell.Mailbox.MessageQueue.GetType().Name}; implement IWithUnboundedStash or choose a deque-based mailbox");
        int own = _cell.Props.Deploy.StashCapacity;
        Capacity = own > 0 ? own : _cell.System.Mailboxes.StashCapacity(_cell.Props.Dispatcher, _cell.Props.Mailbox);
    }

    public int Count => _stashed.Count;

    public bool IsEmpty => Count == 0;

    public bool NonEmpty => Count > 0;

    public bool IsFull => Capacity > 0 && Count >= Capacity;

    /// <summary>-1 for no limit.</summary>
    public virtual int Capacity { get; }

    public void Stash()
    {
        Envelope current = _cell.CurrentEnvelope;
        if (current.Message is null)
            throw new IllegalActorStateException($"{_cell.Self} handles no message that could be stashed");
        if (_stashed.Last is { } last && ReferenceEquals(last.Value.Message, current.Message) && ReferenceEquals(last.Value.Sender, current.Sender))
            throw new IllegalActorStateException($"Can't stash the same message {current.Message} more than once");
        if (IsFull)
            throw new StashOverflowException($"Couldn't enqueue message {current.Message.GetType().Name} to stash of {_cell.Self}: it holds {Capacity} messages");
        _stashed.AddLast(current);
    }

    public void Unstash()
    {
        if (_stashed.First is not { } first)
            return;
        _stashed.RemoveFirst();
        EnqueueFirst(first.Value);
    }

    public void UnstashAll() => UnstashAll(static _ => true);

    public void UnstashAll(Func<Envelope, bool> filterPredicate)
    {
        LinkedList<Envelope> stashed = _stashed;
        _stashed = new LinkedList<Envelope>();
        foreach (Envelope envelope in stashed.Where(e => !filterPredicate(e)))
            _stashed.AddLast(envelope);
        foreach (Envelope envelope in stashed.Reverse().Where(filterPredicate))
            EnqueueFirst(envelope);
    }

    public IEnumerable<Envelope> ClearStash()
    {
        LinkedList<Envelope> stashed = _stashed;
        _stashed = new LinkedList<Envelope>();
        return stashed;
    }

    public void Prepend(IEnumerable<Envelope> envelopes)
    {
        foreach (Envelope envelope in envelopes.Reverse())
        {
            if (_stashed.All(e => !ReferenceEquals(e.Message, envelope.Message)))
                _stashed.AddFirst(envelope);
        }
    }

    private void EnqueueFirst(Envelope envelope)
    {
        _mailbox.EnqueueFirst(envelope);

        // The cell delivers a Terminated only when it expects one.
        if (envelope.Message is Terminated terminated)
            _cell.TerminatedQueuedFor(terminated.ActorRef, Option<object>.None);
    }
}

public class UnboundedStashImpl : AbstractStash
{
    public UnboundedStashImpl(IActorContext context)
        : base(context)
    {
    }
}

public class BoundedStashImpl : AbstractStash
{
    public BoundedStashImpl(IActorContext context)
        : base(context)
    {
    }
}
