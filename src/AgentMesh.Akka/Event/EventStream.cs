using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Dispatch;

namespace Akka.Event;

/// <summary>The bus of a system: whoever subscribes to a type gets every event of it and of its subtypes. An actor that ends is unsubscribed.</summary>
public class EventStream : LoggingBus
{
    private readonly bool _debug;
    private volatile IActorRef? _unsubscriber;

    public EventStream(bool debug) => _debug = debug;

    public override bool Subscribe(IActorRef subscriber, Type channel)
    {
        ArgumentNullException.ThrowIfNull(subscriber);
        if (_debug)
            Publish(new Debug(nameof(EventStream), GetType(), $"subscribing {subscriber} to channel {channel}"));
        bool added = base.Subscribe(subscriber, channel);
        if (added && subscriber is ActorRefWithCell)
            _unsubscriber?.Tell(new EventStreamUnsubscriber.Register(subscriber), ActorRefs.NoSender);
        return added;
    }

    public override bool Unsubscribe(IActorRef subscriber, Type channel)
    {
        ArgumentNullException.ThrowIfNull(subscriber);
        if (_debug)
            Publish(new Debug(nameof(EventStream), GetType(), $"unsubscribing {subscriber} from channel {channel}"));
        return base.Unsubscribe(subscriber, channel);
    }

    public override bool Unsubscribe(IActorRef subscriber)
    {
        ArgumentNullException.ThrowIfNull(subscriber);
        if (_debug)
            Publish(new Debug(nameof(EventStream), GetType(), $"unsubscribing {subscriber} from all channels"));
        return base.Unsubscribe(subscriber);
    }

    /// <summary>Starts the actor that watches the subscribers.</summary>
    public void StartUnsubscriber(ActorSystemImpl system) =>
        _unsubscriber ??= system.SystemActorOf(Props.Create(() => new EventStreamUnsubscriber(this)).WithDispatcher(Dispatchers.InternalDispatcherId), "eventStreamUnsubscriber");
}

internal sealed class EventStreamUnsubscriber : UntypedActor
{
    private readonly EventStream _stream;

    public EventStreamUnsubscriber(EventStream stream) => _stream = stream;

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Register register:
                Context.Watch(register.Subscriber);
                break;
            case Terminated terminated:
                _stream.Unsubscribe(terminated.ActorRef);
                break;
        }
    }

    internal sealed record Register(IActorRef Subscriber) : INoSerializationVerificationNeeded;
}

public static class EventStreamExtensions
{
    public static bool Subscribe<TChannel>(this EventStream eventStream, IActorRef subscriber) => eventStream.Subscribe(subscriber, typeof(TChannel));

    public static bool Unsubscribe<TChannel>(this EventStream eventStream, IActorRef subscriber) => eventStream.Unsubscribe(subscriber, typeof(TChannel));
}
