using Akka.Actor;
using Akka.Event;

namespace Akka.Cluster.Membership;

/// <summary>Who is told of changes. A subscriber that ends is forgotten.</summary>
internal sealed class Subscribers(IActorContext context)
{
    private readonly Dictionary<IActorRef, HashSet<Type>> _types = [];

    public void Add(Subscribe order, ClusterEvent.CurrentClusterState state)
    {
        if (!_types.TryGetValue(order.Subscriber, out HashSet<Type>? types))
        {
            _types.Add(order.Subscriber, types = []);
            context.Watch(order.Subscriber);
        }

        types.UnionWith(order.Types);
        if (order.Mode == ClusterEvent.SubscriptionInitialStateMode.InitialStateAsSnapshot)
        {
            order.Subscriber.Tell(state);
            return;
        }

        foreach (ClusterEvent.IClusterDomainEvent each in StateChanges.Between(new ClusterEvent.CurrentClusterState(), state))
        {
            if (order.Types.Any(type => type.IsInstanceOfType(each)))
                order.Subscriber.Tell(each);
        }
    }

    public void Remove(Unsubscribe order)
    {
        if (!_types.TryGetValue(order.Subscriber, out HashSet<Type>? types))
            return;
        if (order.Type is { } one)
            types.Remove(one);
        if (order.Type is not null && types.Count > 0)
            return;
        _types.Remove(order.Subscriber);
        context.Unwatch(order.Subscriber);
    }

    public void Publish(IEnumerable<ClusterEvent.IClusterDomainEvent> events)
    {
        foreach (ClusterEvent.IClusterDomainEvent each in events)
        {
            foreach ((IActorRef subscriber, HashSet<Type> types) in _types)
            {
                if (types.Any(type => type.IsInstanceOfType(each)))
                    subscriber.Tell(each);
            }
        }
    }

    internal sealed record Subscribe(IActorRef Subscriber, ClusterEvent.SubscriptionInitialStateMode Mode, IReadOnlyList<Type> Types) : INoSerializationVerificationNeeded;

    /// <param name="Type">Null for all.</param>
    internal sealed record Unsubscribe(IActorRef Subscriber, Type? Type) : INoSerializationVerificationNeeded, IDeadLetterSuppression;

    internal sealed record SendState(IActorRef To) : INoSerializationVerificationNeeded;
}
