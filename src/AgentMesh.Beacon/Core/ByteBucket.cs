namespace AgentMesh.Beacon.Core;

/// <summary>An allowance in bytes: so many at once, and so many more a second. Not thread-safe.</summary>
internal sealed class ByteBucket(long burst, long perSecond, TimeSpan now)
{
    private double _tokens = burst;
    private TimeSpan _at = now;

    /// <summary>False when it does not reach; nothing is taken then.</summary>
    public bool TryTake(int bytes, TimeSpan at)
    {
        if (at > _at)
        {
            _tokens = Math.Min(burst, _tokens + ((at - _at).TotalSeconds * perSecond));
            _at = at;
        }

        if (_tokens < bytes)
        {
            return false;
        }

        _tokens -= bytes;
        return true;
    }
}
