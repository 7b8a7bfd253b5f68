using Akka.Dispatch;
using Akka.Dispatch.MessageQueues;
using Akka.Dispatch.SysMsg;
using Akka.Event;

namespace Akka.Actor;

/// <summary>The mailbox of actors that have ended.</summary>
public sealed class DeadLetterMailbox : Mailbox
{
    private readonly IActorRef _deadLetters;

    public DeadLetterMailbox(IActorRef deadLetters)
        : base(new Queue(deadLetters))
    {
        _deadLetters = deadLetters;
        BecomeClosed();
    }

    public override void CleanUp()
    {
    }

    internal override void SystemEnqueue(IActorRef receiver, SystemMessage message)
    {
        if (message is ActorTask { Scheduler: { } scheduler } task)
            scheduler.ExecuteDetached(task.Task);
        else
            _deadLetters.Tell(new DeadLetter(message, receiver, receiver), receiver);
    }

    private sealed class Queue(IActorRef deadLetters) : IMessageQueue
    {
        public bool HasMessages => false;

        public int Count => 0;

        public void Enqueue(IActorRef receiver, Envelope envelope)
        {
            if (envelope.Message is not DeadLetter)
                deadLetters.Tell(new DeadLetter(envelope.Message, envelope.Sender, receiver), envelope.Sender);
        }

        public bool TryDequeue(out Envelope envelope)
        {
            envelope = default;
            return false;
        }

        public void CleanUp(IActorRef owner, IMessageQueue deadletters)
        {
        }
    }
}
