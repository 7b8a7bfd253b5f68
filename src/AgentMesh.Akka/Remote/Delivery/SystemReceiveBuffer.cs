namespace Akka.Remote;

/// <summary>The receiving half: gives out each item once and in order, holds a bounded number of early ones. Not thread-safe.</summary>
internal sealed class SystemReceiveBuffer<T>(int earlyMax)
{
    private readonly SortedDictionary<long, T> _early = [];
    private long _through;

    /// <summary>What to acknowledge now.</summary>
    public SystemAckRange Ack => new(_through, [.. _early.Keys]);

    /// <summary>Takes an item in. Duplicates are dropped, and so is what is too early when the buffer is full: the sender repeats it.</summary>
    /// <param name="deliverable">Receives the items whose turn has come, in order.</param>
    public void Receive(long sequence, T item, List<T> deliverable)
    {
        if (sequence <= _through || _early.ContainsKey(sequence))
            return;
        if (sequence != _through + 1)
        {
            if (_early.Count < earlyMax)
                _early.Add(sequence, item);
            return;
        }

        _through++;
        deliverable.Add(item);
        while (_early.Remove(_through + 1, out T? next))
        {
            _through++;
            deliverable.Add(next);
        }
    }
}
