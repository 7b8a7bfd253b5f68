namespace Akka.Remote.Associations;

/// <summary>Which start of a remote system is there, and which are refused. Not thread-safe.</summary>
/// <remarks>
/// Incarnations have no order: the one that was met last is the one that is there, and what it replaced is refused from then on. Quarantines
/// come with the short form of a number and may be about an incarnation that was never met.
/// </remarks>
internal sealed class Incarnations
{
    private const int RefusedMax = 32;

    private readonly Queue<long> _refused = new();
    private readonly Queue<int> _refusedUids = new();

    /// <summary>0 before the first.</summary>
    public long Current { get; private set; }

    public bool HasRefused => _refused.Count + _refusedUids.Count > 0;

    public bool IsRefused(long incarnation) => _refused.Contains(incarnation) || _refusedUids.Contains(AddressUid.ShortOf(incarnation));

    /// <summary>The current one is another now; the one before cannot come back.</summary>
    public void Replace(long incarnation)
    {
        if (Current != 0)
            Refuse(Current);
        Current = incarnation;
    }

    public void Refuse(long incarnation)
    {
        if (!_refused.Contains(incarnation))
            Add(_refused, incarnation);
    }

    /// <returns>False when it is refused already.</returns>
    public bool Refuse(int uid)
    {
        if (_refusedUids.Contains(uid) || _refused.Any(incarnation => AddressUid.ShortOf(incarnation) == uid))
            return false;
        Add(_refusedUids, uid);
        return true;
    }

    private static void Add<T>(Queue<T> queue, T item)
    {
        queue.Enqueue(item);
        if (queue.Count > RefusedMax)
            queue.Dequeue();
    }
}
