namespace AgentMesh.Protocol.Recovery;

/// <summary>Round-trip time of one path (RFC 9002, section 5).</summary>
internal sealed class RttEstimator
{
    /// <summary>Assumed before the first sample; makes the first probe go out after 300 ms.</summary>
    public static readonly TimeSpan Initial = TimeSpan.FromMilliseconds(100);

    /// <summary>Timers cannot do better (RFC 9002, kGranularity).</summary>
    public static readonly TimeSpan Granularity = TimeSpan.FromMilliseconds(1);

    public bool HasSample { get; private set; }

    public TimeSpan Smoothed { get; private set; } = Initial;

    public TimeSpan Variation { get; private set; } = Initial / 2;

    public TimeSpan Latest { get; private set; } = Initial;

    public TimeSpan Minimum { get; private set; } = TimeSpan.MaxValue;

    /// <summary>How long the other side was asked to let packets of this path wait for their acknowledgement; zero: it keeps to what it promised.</summary>
    public TimeSpan AskedDelay { get; set; }

    /// <summary>How long the other side waits at most before it acknowledges.</summary>
    public TimeSpan AckDelayMax(TimeSpan promised) => AskedDelay > promised ? AskedDelay : promised;

    /// <param name="ackDelay">What the other side says it waited, already cut to its promised maximum.</param>
    public void Add(TimeSpan sample, TimeSpan ackDelay)
    {
        Latest = sample;
        if (!HasSample)
        {
            HasSample = true;
            Minimum = Smoothed = sample;
            Variation = sample / 2;
            return;
        }

        Minimum = sample < Minimum ? sample : Minimum;
        TimeSpan adjusted = sample - ackDelay >= Minimum ? sample - ackDelay : sample;
        Variation = ((3 * Variation) + (Smoothed - adjusted).Duration()) / 4;
        Smoothed = ((7 * Smoothed) + adjusted) / 8;
    }

    /// <summary>Probe timeout without backoff (RFC 9002, section 6.2.1).</summary>
    public TimeSpan ProbeTimeout(TimeSpan ackDelayMax)
    {
        TimeSpan spread = 4 * Variation;
        return Smoothed + (spread > Granularity ? spread : Granularity) + AckDelayMax(ackDelayMax);
    }
}
