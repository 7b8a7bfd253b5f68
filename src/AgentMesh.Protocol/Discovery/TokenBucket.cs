namespace AgentMesh.Protocol.Discovery;

/// <summary>An allowance: so many at once, and so many more a second as time goes by. Not thread-safe.</summary>
internal sealed class TokenBucket(double burst, double perSecond)
{
    private readonly double _burst = burst;
    private double _tokens = burst;
    private TimeSpan _at;

    /// <summary>False when it is used up.</summary>
    public bool TryTake(TimeSpan now)
    {
        Fill(now);
        if (_tokens < 1)
        {
            return false;
        }

        _tokens--;
        return true;
    }

    /// <summary>Nothing is remembered of what was taken from it.</summary>
    public bool IsFull(TimeSpan now)
    {
        Fill(now);
        return _tokens >= _burst;
    }

    private void Fill(TimeSpan now)
    {
        if (now > _at)
        {
            _tokens = Math.Min(_burst, _tokens + (now - _at).TotalSeconds * perSecond);
            _at = now;
        }
    }
}
