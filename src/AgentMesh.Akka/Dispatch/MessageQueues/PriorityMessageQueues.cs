using Akka.Actor;

namespace Akka.Dispatch.MessageQueues;

/// <summary>The base of queues that several threads lock.</summary>
public abstract class BlockingMessageQueue : IMessageQueue, IBlockingMessageQueueSemantics
{
    private readonly object _gate = new();

    public TimeSpan BlockTimeOut { get; set; } = TimeSpan.FromSeconds(1);

    public bool HasMessages => Count > 0;

    public int Count
    {
        get
        {
            lock (_gate)
                return LockedCount;
        }
    }

    protected abstract int LockedCount { get; }

    public void Enqueue(IActorRef receiver, Envelope envelope)
    {
        lock (_gate)
            LockedEnqueue(envelope);
    }

    public bool TryDequeue(out Envelope envelope)
    {
        lock (_gate)
            return LockedTryDequeue(out envelope);
    }

    public void CleanUp(IActorRef owner, IMessageQueue deadletters) => DeadLetterDrain.Drain(this, owner, deadletters);

    protected abstract void LockedEnqueue(Envelope envelope);

    protected abstract bool LockedTryDequeue(out Envelope envelope);
}

/// <summary>The message with the lowest number first; messages with the same number keep their order.</summary>
public class UnboundedStablePriorityMessageQueue : BlockingMessageQueue, IUnboundedDequeBasedMessageQueueSemantics
{
    private readonly Func<object, int> _priorityGenerator;
    private readonly PriorityQueue<Envelope, (int Priority, long Order)> _queue;
    private readonly Stack<Envelope> _front = new();
    private long _order;

    public UnboundedStablePriorityMessageQueue(Func<object, int> priorityGenerator, int initialCapacity)
    {
        _priorityGenerator = priorityGenerator;
        _queue = new PriorityQueue<Envelope, (int Priority, long Order)>(initialCapacity);
    }

    protected override int LockedCount => _queue.Count + _front.Count;

    public void EnqueueFirst(Envelope envelope) => _front.Push(envelope);

    protected override void LockedEnqueue(Envelope envelope) => _queue.Enqueue(envelope, (_priorityGenerator(envelope.Message), _order++));

    protected override bool LockedTryDequeue(out Envelope envelope) => _front.TryPop(out envelope) || _queue.TryDequeue(out envelope, out _);
}

/// <summary>The message with the lowest number first; here, too, messages with the same number keep their order.</summary>
public class UnboundedPriorityMessageQueue : BlockingMessageQueue, IUnboundedDequeBasedMessageQueueSemantics
{
    private readonly Func<object, int> _priorityGenerator;
    private readonly PriorityQueue<Envelope, (int Priority, long Order)> _queue;
    private readonly Stack<Envelope> _front = new();
    private long _order;

    public UnboundedPriorityMessageQueue(Func<object, int> priorityGenerator, int initialCapacity)
    {
        _priorityGenerator = priorityGenerator;
        _queue = new PriorityQueue<Envelope, (int Priority, long Order)>(initialCapacity);
    }

    protected override int LockedCount => _queue.Count + _front.Count;

    public void EnqueueFirst(Envelope envelope) => _front.Push(envelope);

    protected override void LockedEnqueue(Envelope envelope) => _queue.Enqueue(envelope, (_priorityGenerator(envelope.Message), _order++));

    protected override bool LockedTryDequeue(out Envelope envelope) => _front.TryPop(out envelope) || _queue.TryDequeue(out envelope, out _);
}
