using Akka.Actor;

namespace Akka.Dispatch.MessageQueues;

/// <summary>The default queue.</summary>
public class UnboundedMessageQueue : IMessageQueue, IUnboundedMessageQueueSemantics
{
    private readonly EnvelopeQueue _queue = new();

    public bool HasMessages => !_queue.IsEmpty;

    public int Count => _queue.Count;

    public void Enqueue(IActorRef receiver, Envelope envelope) => _queue.Enqueue(envelope);

    public bool TryDequeue(out Envelope envelope) => _queue.TryDequeue(out envelope);

    public void CleanUp(IActorRef owner, IMessageQueue deadletters) => DeadLetterDrain.Drain(this, owner, deadletters);
}

internal static class DeadLetterDrain
{
    public static void Drain(IMessageQueue from, IActorRef owner, IMessageQueue deadLetters)
    {
        while (from.TryDequeue(out Envelope envelope))
            deadLetters.Enqueue(owner, envelope);
    }
}
