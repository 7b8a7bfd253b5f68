namespace AgentMesh.Protocol.Recovery;

/// <summary>The least round trip of the last 10 s: that of a path without a queue, if it had one moment without.</summary>
internal sealed class LeastRoundTrip
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(10);

    private TimeSpan _seenAt;

    /// <summary><see cref="TimeSpan.MaxValue"/> before the first.</summary>
    public TimeSpan Value { get; private set; } = TimeSpan.MaxValue;

    public bool IsKnown => Value < TimeSpan.MaxValue;

    public bool IsExpired(TimeSpan now) => IsKnown && now > _seenAt + Length;

    public void Update(TimeSpan roundTrip, TimeSpan now)
    {
        // As low as the least: no queue stands, so nothing has to be drained to see it.
        if (roundTrip <= Value || IsExpired(now))
        {
            Value = roundTrip;
            _seenAt = now;
        }
    }

    /// <summary>The queue was drained: the next 10 s begin.</summary>
    public void Seen(TimeSpan now) => _seenAt = now;
}
