using Akka.Actor;

namespace Akka.Cluster.Sharding.Regions;

/// <summary>Messages that wait, by shard or entity, with one bound for all of them.</summary>
internal sealed class MessageBuffers(int capacity)
{
    private readonly Dictionary<string, Queue<(object Message, IActorRef Sender)>> _queues = new(StringComparer.Ordinal);

    public int Count { get; private set; }

    public IReadOnlyCollection<string> Keys => _queues.Keys;

    public bool Holds(string key) => _queues.ContainsKey(key);

    /// <returns>False when there is no room.</returns>
    public bool Add(string key, object message, IActorRef sender)
    {
        if (Count >= capacity)
            return false;
        if (!_queues.TryGetValue(key, out Queue<(object, IActorRef)>? queue))
            _queues.Add(key, queue = new Queue<(object, IActorRef)>());
        queue.Enqueue((message, sender));
        Count++;
        return true;
    }

    /// <summary>Puts messages before those that wait. They were counted elsewhere before, so the bound does not hold for them.</summary>
    public void Prepend(string key, IReadOnlyCollection<(object Message, IActorRef Sender)> messages)
    {
        if (messages.Count == 0)
            return;
        Queue<(object, IActorRef)>? behind = _queues.GetValueOrDefault(key);
        _queues[key] = new Queue<(object, IActorRef)>([.. messages, .. behind ?? []]);
        Count += messages.Count;
    }

    public IReadOnlyCollection<(object Message, IActorRef Sender)> Take(string key)
    {
        if (!_queues.Remove(key, out Queue<(object, IActorRef)>? queue))
            return [];
        Count -= queue.Count;
        return queue;
    }
}
