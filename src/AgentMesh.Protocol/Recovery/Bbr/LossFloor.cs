namespace AgentMesh.Protocol.Recovery;

/// <summary>
/// The share of packets that a path loses however little is sent: by radio, by damage, by others. Slowing down does not help against it, so only what is lost beyond it is a sign of
/// congestion. Measured where the round trip shows that no queue stands, or where less is lost than was thought; a path that loses nothing by itself has a floor of zero.
/// </summary>
internal sealed class LossFloor
{
    /// <summary>More than this is never taken for granted: a network that loses so much is to be left in peace, whatever the reason.</summary>
    public const double Max = 0.12;

    /// <summary>BBRLossThresh of the draft: what congestion may cost beyond the floor.</summary>
    public const double Allowed = 0.02;

    private const int WindowPackets = 100;
    private const int Windows = 8;

    // The worst of the windows are left out: some loss came from congestion that made no queue to be seen.
    private const int WorstLeftOut = 2;

    // What chance makes of the floor in a small number of packets: so many standard deviations. Losses come in bursts, so it is more than for single ones.
    private const double Deviations = 3;

    // A round trip this much above the least one, and timers, are no queue.
    private const double QueueFactor = 1.25;
    private static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(2);

    private readonly double[] _rates = new double[Windows];
    private int _count;
    private int _next;
    private int _acked;
    private int _lost;
    private double _roundTrips;
    private int _samples;

    /// <summary>0 to <see cref="Max"/>.</summary>
    public double Rate { get; private set; }

    public void Acked() => _acked++;

    public void Lost() => _lost++;

    /// <summary>After each ACK frame.</summary>
    public void AckDone(TimeSpan roundTrip, TimeSpan roundTripMin)
    {
        _roundTrips += roundTrip.TotalSeconds;
        _samples++;
        if (_acked + _lost < WindowPackets)
        {
            return;
        }

        double rate = (double)_lost / (_acked + _lost);
        if (rate < Rate || IsQueueFree(TimeSpan.FromSeconds(_roundTrips / _samples), roundTripMin))
        {
            _rates[_next] = rate;
            _next = (_next + 1) % Windows;
            _count = Math.Min(_count + 1, Windows);
            Rate = Math.Min(Max, Average());
        }

        StartWindow();
    }

    /// <summary>No queue stands on the path, as far as this round trip shows.</summary>
    public static bool IsQueueFree(TimeSpan roundTrip, TimeSpan roundTripMin) => roundTripMin == TimeSpan.MaxValue || roundTrip <= (roundTripMin * QueueFactor) + Slack;

    /// <summary>Whether so much was lost of what was in flight that more than the floor and <paramref name="allowed"/> must be behind it.</summary>
    public bool IsExceeded(long lostBytes, long bytes, double allowed, int datagramBytes)
    {
        double chance = Deviations * Math.Sqrt(Rate * Math.Max(0, bytes) * datagramBytes);
        return lostBytes > (bytes * (Rate + allowed)) + chance;
    }

    /// <summary>What was in flight when more than the floor and <paramref name="allowed"/> was lost, which may be within a packet.</summary>
    /// <param name="bytesInFlight">With this packet, when it was sent.</param>
    /// <param name="lostBytes">Of these, with this packet.</param>
    public double InflightAtLoss(long bytesInFlight, int packetBytes, long lostBytes, double allowed)
    {
        double threshold = allowed + Rate;
        double before = bytesInFlight - packetBytes, lostBefore = lostBytes - packetBytes;
        return before + (((threshold * before) - lostBefore) / (1 - threshold));
    }

    private void StartWindow()
    {
        _acked = _lost = _samples = 0;
        _roundTrips = 0;
    }

    private double Average()
    {
        Span<double> sorted = stackalloc double[Windows];
        _rates.AsSpan(0, _count).CopyTo(sorted);
        sorted = sorted[.._count];
        sorted.Sort();
        int used = Math.Max(1, _count - WorstLeftOut);
        double sum = 0;
        foreach (double rate in sorted[..used])
        {
            sum += rate;
        }

        return sum / used;
    }
}
