namespace AgentMesh.Protocol.Recovery;

/// <summary>How fast a connection sends under BBR, and how much goes out at once for it.</summary>
internal sealed class BbrPacing
{
    /// <summary>Twice as much each round: 4 ln 2, of the draft.</summary>
    public const double StartupGain = 2.77;

    // Of the draft: a little less than what the path delivers, so that a queue of what others sent drains.
    private const double Margin = 0.99;
    private const int BurstBytesMax = 384 * 1024;

    private double _bytesPerSecond;
    private bool _hasRoundTrip;

    /// <summary>What goes out in one burst of the pacer, in bytes.</summary>
    public double Burst => Math.Min(_bytesPerSecond * Pacer.Burst.TotalSeconds, BurstBytesMax);

    /// <summary>In bytes a second. Before the first sample nothing is known: the initial window goes out as the timers allow.</summary>
    public double Rate(double initialWindow) => _hasRoundTrip ? _bytesPerSecond : StartupGain * initialWindow / RttEstimator.Granularity.TotalSeconds;

    /// <summary>The first round trip says how fast the window would go out; later ones are nothing new.</summary>
    public void TakeRoundTrip(RttEstimator rtt, double window)
    {
        if (!_hasRoundTrip && rtt.HasSample)
        {
            _hasRoundTrip = true;
            _bytesPerSecond = StartupGain * window / Math.Max(rtt.Smoothed.TotalSeconds, 1e-6);
        }
    }

    /// <param name="delivered">Bytes a second that the path delivers.</param>
    /// <param name="isPipeFilled">Before that it only grows: little to send is no sign of a slow path.</param>
    public void Set(double gain, double delivered, bool isPipeFilled, int datagramBytes)
    {
        double rate = gain * delivered * Margin;
        if (isPipeFilled || rate > _bytesPerSecond)
        {
            _bytesPerSecond = Math.Max(rate, datagramBytes); // a datagram in a second, so that it goes on at all
        }
    }
}
