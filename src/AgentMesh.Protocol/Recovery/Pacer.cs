namespace AgentMesh.Protocol.Recovery;

/// <summary>
/// Spreads packets over the round trip: a bucket that fills at the rate of the congestion controller and holds what timers are too coarse to space out. On a LAN,
/// where the round trip is shorter than a timer, it hardly ever holds anything back.
/// </summary>
internal sealed class Pacer
{
    /// <summary>Timers fire a millisecond or two late; what would have gone in that time must not be lost.</summary>
    public static readonly TimeSpan Burst = TimeSpan.FromMilliseconds(4);

    private double _tokens;
    private double _rate;
    private double _capacity = double.MaxValue;
    private TimeSpan _filledAt;
    private bool _started;

    public void Refill(TimeSpan now, ICongestionController congestion, RttEstimator rtt, int datagramBytes)
    {
        _rate = congestion.PacingRate(rtt);
        _capacity = Math.Max(_rate * Burst.TotalSeconds, 16.0 * datagramBytes);
        _tokens = _started ? Math.Min(_capacity, _tokens + (_rate * (now - _filledAt).TotalSeconds)) : _capacity;
        _started = true;
        _filledAt = now;
    }

    public bool CanSend => _tokens > 0;

    /// <summary>When the bucket has something again, on the clock of the last <see cref="Refill"/>.</summary>
    public TimeSpan NextAt => _filledAt + TimeSpan.FromSeconds(Math.Max(0, -_tokens) / _rate) + TimeSpan.FromMicroseconds(1);

    /// <summary>May go below zero by less than a packet.</summary>
    public void Sent(int bytes) => _tokens -= bytes;
}
