using Akka.Dispatch.SysMsg;
using Akka.Event;

namespace Akka.Actor;

/// <summary>A path where no actor is: messages become dead letters.</summary>
public class EmptyLocalActorRef : MinimalActorRef
{
    private readonly EventStream _eventStream;

    public EmptyLocalActorRef(IActorRefProvider provider, ActorPath path, EventStream eventStream)
    {
        Provider = provider;
        Path = path;
        _eventStream = eventStream;
    }

    public override ActorPath Path { get; }

    public override IActorRefProvider Provider { get; }

    public override bool IsTerminated => true;

    public override void SendSystemMessage(ISystemMessage message) => SpecialHandle(message, Provider.DeadLetters);

    protected override void TellInternal(object message, IActorRef sender)
    {
        if (message is null)
            throw new InvalidMessageException();
        if (message is DeadLetter letter)
            SpecialHandle(letter.Message, letter.Sender);
        else if (!SpecialHandle(message, sender))
            _eventStream.Publish(new DeadLetter(message, sender ?? Provider.DeadLetters, this));
    }

    /// <summary>Answers what even an actor that is not there must answer.</summary>
    /// <returns>False when the message is an ordinary one.</returns>
    protected virtual bool SpecialHandle(object message, IActorRef sender)
    {
        switch (message)
        {
            case Watch watch:
                if (watch.Watchee.Equals(this) && !watch.Watcher.Equals(this))
                    watch.Watcher.SendSystemMessage(new DeathWatchNotification(watch.Watchee, existenceConfirmed: false, addressTerminated: false));
                return true;
            case Unwatch:
                return true;
            case Identify identify:
                sender?.Tell(new ActorIdentity(identify.MessageId, null!), ActorRefs.NoSender);
                return true;
            case ActorSelectionMessage { Message: Identify identify } selection:
                if (!selection.WildCardFanOut)
                    sender?.Tell(new ActorIdentity(identify.MessageId, null!), ActorRefs.NoSender);
                return true;
            case ActorSelectionMessage selection:
                if (selection.WildCardFanOut)
                    _eventStream.Publish(new SuppressedDeadLetter(Suppressed.Of(selection.Message), sender ?? Provider.DeadLetters, this));
                else
                    _eventStream.Publish(new DeadLetter(selection.Message, sender ?? Provider.DeadLetters, this));
                return true;
            case IDeadLetterSuppression suppressed:
                _eventStream.Publish(new SuppressedDeadLetter(suppressed, sender ?? Provider.DeadLetters, this));
                return true;
            default:
                return false;
        }
    }

    private sealed class Suppressed(object message) : IDeadLetterSuppression, IWrappedMessage
    {
        public object Message => message;

        public static IDeadLetterSuppression Of(object message) => message as IDeadLetterSuppression ?? new Suppressed(message);
    }
}

/// <summary>Where messages to nobody go: they are published on the event stream.</summary>
public class DeadLetterActorRef : EmptyLocalActorRef
{
    private readonly EventStream _eventStream;

    public DeadLetterActorRef(IActorRefProvider provider, ActorPath path, EventStream eventStream)
        : base(provider, path, eventStream) => _eventStream = eventStream;

    protected override void TellInternal(object message, IActorRef sender)
    {
        switch (message)
        {
            case null:
                throw new InvalidMessageException();
            case Identify identify:
                sender?.Tell(new ActorIdentity(identify.MessageId, null!), ActorRefs.NoSender);
                break;
            case DeadLetter letter:
                if (!SpecialHandle(letter.Message, letter.Sender))
                    _eventStream.Publish(letter);
                break;
            default:
                if (!SpecialHandle(message, sender))
                    _eventStream.Publish(new DeadLetter(message, sender ?? this, this));
                break;
        }
    }

    protected override bool SpecialHandle(object message, IActorRef sender)
    {
        // An actor that has ended: its mailbox sends what comes late here.
        if (message is not Watch watch)
            return base.SpecialHandle(message, sender);
        if (!watch.Watchee.Equals(this) && !watch.Watcher.Equals(this))
            watch.Watcher.SendSystemMessage(new DeathWatchNotification(watch.Watchee, existenceConfirmed: false, addressTerminated: false));
        return true;
    }
}

/// <summary>Swallows everything.</summary>
internal sealed class IgnoreActorRef(IActorRefProvider provider, ActorPath path) : MinimalActorRef
{
    public override ActorPath Path => path;

    public override IActorRefProvider Provider => provider;
}
