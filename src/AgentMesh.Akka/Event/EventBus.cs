using Akka.Actor;

namespace Akka.Event;

/// <summary>Delivers events to those who subscribed to their class.</summary>
/// <remarks>Subscriptions are copied on write: publishing takes no lock, and the receivers of a class are looked up once.</remarks>
public abstract class EventBus<TEvent, TClassifier, TSubscriber>
    where TClassifier : notnull
    where TSubscriber : notnull
{
    private readonly object _gate = new();
    private volatile Subscriptions _subscriptions = new([]);

    public virtual bool Subscribe(TSubscriber subscriber, TClassifier classifier)
    {
        lock (_gate)
        {
            List<(TClassifier Classifier, TSubscriber Subscriber)> all = _subscriptions.All;
            if (all.Exists(s => s.Subscriber.Equals(subscriber) && IsSubClassification(s.Classifier, classifier)))
                return false;
            _subscriptions = new Subscriptions([.. all.Where(s => !(s.Subscriber.Equals(subscriber) && IsSubClassification(classifier, s.Classifier))), (classifier, subscriber)]);
            return true;
        }
    }

    public virtual bool Unsubscribe(TSubscriber subscriber) => Remove(s => s.Subscriber.Equals(subscriber));

    public virtual bool Unsubscribe(TSubscriber subscriber, TClassifier classifier) =>
        Remove(s => s.Subscriber.Equals(subscriber) && IsSubClassification(classifier, s.Classifier));

    public virtual void Publish(TEvent @event)
    {
        Subscriptions subscriptions = _subscriptions;
        TClassifier classifier = GetClassifier(@event);
        if (!subscriptions.ByClass.TryGetValue(classifier, out TSubscriber[]? receivers))
        {
            receivers = subscriptions.All.Where(s => Classify(@event, s.Classifier)).Select(s => s.Subscriber).Distinct().ToArray();
            subscriptions.ByClass.TryAdd(classifier, receivers);
        }

        foreach (TSubscriber receiver in receivers)
            Publish(@event, receiver);
    }

    protected string SimpleName(object source) => SimpleName(source.GetType());

    protected string SimpleName(Type source) => Logging.SimpleName(source);

    /// <summary>True when <paramref name="child"/> is, or lies below, <paramref name="parent"/>.</summary>
    protected abstract bool IsSubClassification(TClassifier parent, TClassifier child);

    protected abstract void Publish(TEvent @event, TSubscriber subscriber);

    protected abstract bool Classify(TEvent @event, TClassifier classifier);

    protected abstract TClassifier GetClassifier(TEvent @event);

    private bool Remove(Predicate<(TClassifier Classifier, TSubscriber Subscriber)> match)
    {
        lock (_gate)
        {
            var left = _subscriptions.All.FindAll(s => !match(s));
            if (left.Count == _subscriptions.All.Count)
                return false;
            _subscriptions = new Subscriptions(left);
            return true;
        }
    }

    private sealed class Subscriptions(List<(TClassifier Classifier, TSubscriber Subscriber)> all)
    {
        public List<(TClassifier Classifier, TSubscriber Subscriber)> All => all;

        public System.Collections.Concurrent.ConcurrentDictionary<TClassifier, TSubscriber[]> ByClass { get; } = new();
    }
}

public abstract class ActorEventBus<TEvent, TClassifier> : EventBus<TEvent, TClassifier, IActorRef>
    where TClassifier : notnull
{
}
