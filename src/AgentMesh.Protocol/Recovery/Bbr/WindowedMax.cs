namespace AgentMesh.Protocol.Recovery;

/// <summary>The greatest of the values that were added within the last so many steps of some count: rounds, or cycles.</summary>
internal sealed class WindowedMax
{
    // Falling values at rising times: the first is the greatest, each other one the greatest since.
    private readonly (long At, double Value)[] _best = new (long, double)[4];
    private int _count;

    public double Value => _count == 0 ? 0 : _best[0].Value;

    /// <param name="at">Never smaller than before.</param>
    public void Add(double value, long at, long length)
    {
        int old = 0;
        while (old < _count && _best[old].At <= at - length)
        {
            old++;
        }

        _count -= old;
        Array.Copy(_best, old, _best, 0, _count);
        while (_count > 0 && _best[_count - 1].Value <= value)
        {
            _count--;
        }

        // Where it is full the newest, which is the smallest, makes way: it would count only after all the others are too old.
        _count = Math.Min(_count, _best.Length - 1);
        _best[_count++] = (at, value);
    }
}
