namespace AgentMesh.Protocol.Recovery;

/// <summary>Counts round trips by packets: one has passed when something was acknowledged that was sent after the last one began.</summary>
internal sealed class RoundCounter
{
    private long _nextDelivered;
    private TimeSpan _least = TimeSpan.MaxValue;
    private TimeSpan _leastBefore = TimeSpan.MaxValue;

    public long Count { get; private set; }

    /// <summary>The acknowledgement at hand begins a round.</summary>
    public bool IsStart { get; private set; }

    /// <summary>The least round trip of this round and the one before.</summary>
    public TimeSpan Least => _least < _leastBefore ? _least : _leastBefore;

    public void Update(in RateSample sample, long delivered)
    {
        IsStart = sample.PriorDelivered >= _nextDelivered;
        if (IsStart)
        {
            Begin(delivered);
            Count++;
            _leastBefore = _least;
            _least = TimeSpan.MaxValue;
        }

        _least = sample.RoundTrip < _least ? sample.RoundTrip : _least;
    }

    /// <summary>The round begins here.</summary>
    public void Begin(long delivered) => _nextDelivered = delivered;
}
