using Akka.Actor;
using Akka.Configuration;
using Akka.Event;

namespace Akka.Dispatch.MessageQueues;

/// <summary>A queue with room for so many messages: a sender waits for room up to the push timeout, then the message becomes a dead letter.</summary>
public class BoundedMessageQueue : IMessageQueue, IBoundedMessageQueueSemantics
{
    private readonly Queue<Envelope> _queue = new();
    private readonly object _gate = new();
    private readonly int _capacity;

    public BoundedMessageQueue(Config config)
        : this(config.GetInt("mailbox-capacity"), config.GetTimeSpan("mailbox-push-timeout-time", Timeout.InfiniteTimeSpan))
    {
    }

    /// <param name="pushTimeOut">Negative: a sender waits for ever; zero: it does not wait.</param>
    public BoundedMessageQueue(int boundedCapacity, TimeSpan pushTimeOut)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(boundedCapacity);
        _capacity = boundedCapacity;
        PushTimeOut = pushTimeOut;
    }

    public TimeSpan PushTimeOut { get; set; }

    public bool HasMessages => Count > 0;

    public int Count
    {
        get
        {
            lock (_gate)
                return _queue.Count;
        }
    }

    public void Enqueue(IActorRef receiver, Envelope envelope)
    {
        if (TryEnqueue(envelope))
            return;
        if (receiver is IInternalActorRef { Provider.DeadLetters: { } deadLetters })
            deadLetters.Tell(new DeadLetter(envelope.Message, envelope.Sender, receiver), envelope.Sender);
    }

    public bool TryDequeue(out Envelope envelope)
    {
        lock (_gate)
        {
            if (!_queue.TryDequeue(out envelope))
                return false;
            Monitor.Pulse(_gate);
            return true;
        }
    }

    public void CleanUp(IActorRef owner, IMessageQueue deadletters) => DeadLetterDrain.Drain(this, owner, deadletters);

    private bool TryEnqueue(in Envelope envelope)
    {
        lock (_gate)
        {
            if (_queue.Count >= _capacity)
            {
                long deadline = PushTimeOut < TimeSpan.Zero ? long.MaxValue : Environment.TickCount64 + (long)PushTimeOut.TotalMilliseconds;
                while (_queue.Count >= _capacity)
                {
                    long left = deadline == long.MaxValue ? Timeout.Infinite : deadline - Environment.TickCount64;
                    if ((left <= 0 && left != Timeout.Infinite) || !Monitor.Wait(_gate, (int)Math.Min(left, int.MaxValue)))
                    {
                        if (_queue.Count >= _capacity)
                            return false;
                    }
                }
            }

            _queue.Enqueue(envelope);
            return true;
        }
    }
}
