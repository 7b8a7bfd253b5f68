using Akka.Actor;

namespace Akka.Event;

/// <summary>The system at an address is gone for good; cells that watch actors there, or are watched from there, are told.</summary>
internal sealed class AddressTerminated(Address address) : IAutoReceivedMessage, IPossiblyHarmful, IDeadLetterSuppression, INoSerializationVerificationNeeded
{
    public Address Address => address;

    public override string ToString() => $"<AddressTerminated>: {address}";
}

/// <summary>Tells the subscribed actors of <see cref="AddressTerminated"/>. Remoting publishes, cells subscribe.</summary>
internal sealed class AddressTerminatedTopic
{
    private readonly HashSet<IActorRef> _subscribers = [];

    public void Subscribe(IActorRef subscriber)
    {
        lock (_subscribers)
            _subscribers.Add(subscriber);
    }

    public void Unsubscribe(IActorRef subscriber)
    {
        lock (_subscribers)
            _subscribers.Remove(subscriber);
    }

    public void Publish(AddressTerminated message)
    {
        IActorRef[] subscribers;
        lock (_subscribers)
            subscribers = [.. _subscribers];
        foreach (IActorRef subscriber in subscribers)
            subscriber.Tell(message, ActorRefs.NoSender);
    }
}
