namespace AgentMesh.Workers.Limits;

/// <summary>Tokens that come back with time. Who finds none is told when to come again, each later than the one before, so that they do not all come at once.</summary>
/// <param name="now">Of a clock that never goes back, here and in every call.</param>
internal sealed class TokenBucket(RateLimit limit, TimeSpan now)
{
    /// <summary>Nobody is told to come later than this.</summary>
    public static readonly TimeSpan ComeAgainMax = TimeSpan.FromMinutes(10);

    private double _tokens = limit.Burst;
    private TimeSpan _filledAt = now;
    private TimeSpan _promised;

    /// <summary>As if nobody had ever come: it need not be remembered.</summary>
    public bool IsFull(TimeSpan now)
    {
        Fill(now);
        return _tokens >= limit.Burst && _promised <= now;
    }

    public bool HasToken(TimeSpan now)
    {
        Fill(now);

        // What is left of a division must not make anybody wait for nothing.
        return _tokens >= 1 - 1e-9;
    }

    /// <summary>Only where there is one.</summary>
    public void Take() => _tokens = Math.Max(0, _tokens - 1);

    /// <summary>How long until there is a token for who asks now, those before it counted.</summary>
    public TimeSpan Promise(TimeSpan now)
    {
        Fill(now);
        TimeSpan next = now + (limit.Interval * (1 - Math.Min(1, _tokens)));
        TimeSpan mine = _promised + limit.Interval > next ? _promised + limit.Interval : next;
        if (mine - now > ComeAgainMax)
        {
            return ComeAgainMax;
        }

        _promised = mine;
        return mine - now;
    }

    private void Fill(TimeSpan now)
    {
        _tokens = Math.Min(limit.Burst, _tokens + ((now - _filledAt) / limit.Interval));
        _filledAt = now;
    }
}
