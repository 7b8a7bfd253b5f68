using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Recovery;

namespace AgentMesh.Protocol.Connections;

/// <summary>
/// The sending side of thinned acknowledgements (the model is draft-ietf-quic-ack-frequency): asks for a few in each round trip instead of one for every ten packets, while much is in flight
/// and all is well, and takes that back with the first probe after a timeout. What was asked ends by itself when it is not asked again, so nothing has to be repeated.
/// </summary>
/// <param name="isTaken">The other side takes the question, and this one wants to ask.</param>
internal sealed class AckThinning(NetworkPath path, bool isTaken)
{
    /// <summary>Acknowledgements of a round trip.</summary>
    public const int PerRoundTrip = 4;

    /// <summary>With fewer in flight each acknowledgement counts.</summary>
    public const int PacketsMin = 32;

    /// <summary>Within a building every tenth packet is told of soon enough, and a round trip is no longer than what timers can do.</summary>
    public static readonly TimeSpan RoundTripMin = TimeSpan.FromMilliseconds(4);

    // Much shorter than what was asked is in force: one question may be lost.
    private static readonly TimeSpan AgainAfter = ThinnedAcks.ValidFor * 2 / 5;

    // All has to be well for so long, and for some round trips.
    private static readonly TimeSpan CalmMin = TimeSpan.FromMilliseconds(400);
    private const int CalmRoundTrips = 4;

    private TimeSpan? _calmSince;
    private TimeSpan _askedAt = TimeSpan.MinValue;
    private TimeSpan _inForceUntil = TimeSpan.MinValue;
    private RttEstimator _rtt = path.Rtt;
    private long _lost;
    private ulong _marked;

    /// <summary>What the next packet that wants an answer is to say; null: nothing.</summary>
    public AckFrequencyFrame? Poll(TimeSpan now)
    {
        if (!isTaken)
        {
            return null;
        }

        if (IsTrouble())
        {
            _calmSince = null;
            _askedAt = TimeSpan.MinValue;

            // What it was lost with may have been a question, so it is said with every probe.
            return path.Loss.Probes > 0 && now < _inForceUntil ? new AckFrequencyFrame(TimeSpan.Zero) : null;
        }

        _calmSince ??= now;
        if (path.Congestion.IsProbing)
        {
            _askedAt = TimeSpan.MinValue;
            return path.Rtt.AskedDelay > TimeSpan.Zero && now < _inForceUntil ? new AckFrequencyFrame(TimeSpan.Zero) : null;
        }

        if (!IsMuch || now - _calmSince < Longer(CalmMin, CalmRoundTrips * path.Rtt.Smoothed))
        {
            path.Rtt.AskedDelay = now < _inForceUntil ? path.Rtt.AskedDelay : TimeSpan.Zero;
            return null;
        }

        return now - AgainAfter >= _askedAt ? new AckFrequencyFrame(Delay) : null;
    }

    /// <summary>The frame is in a packet.</summary>
    public void Asked(in AckFrequencyFrame frame, TimeSpan now)
    {
        path.Rtt.AskedDelay = frame.Delay;
        if (frame.Delay > TimeSpan.Zero)
        {
            _askedAt = now;
            _inForceUntil = now + ThinnedAcks.ValidFor + path.Rtt.Smoothed;
        }
    }

    private TimeSpan Delay
    {
        get
        {
            TimeSpan delay = path.Rtt.Minimum / PerRoundTrip;
            return delay < ThinnedAcks.DelayMax ? delay : ThinnedAcks.DelayMax;
        }
    }

    private bool IsMuch =>
        path.Rtt.HasSample && path.Rtt.Minimum >= RoundTripMin && path.Loss.BytesInFlight >= PacketsMin * path.DatagramBytes;

    /// <summary>Anything that the other side may not have noticed, or that makes each acknowledgement worth more: losses, marks, a timeout, another path.</summary>
    private bool IsTrouble()
    {
        bool isTrouble = path.Loss.Probes > 0 || path.Loss.IsBackedOff || path.Loss.PacketsLost != _lost || path.Ecn.Marked != _marked || !ReferenceEquals(path.Rtt, _rtt);
        if (isTrouble)
        {
            _rtt.AskedDelay = path.Rtt.AskedDelay = TimeSpan.Zero;
            (_lost, _marked, _rtt) = (path.Loss.PacketsLost, path.Ecn.Marked, path.Rtt);
        }

        return isTrouble;
    }

    private static TimeSpan Longer(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
