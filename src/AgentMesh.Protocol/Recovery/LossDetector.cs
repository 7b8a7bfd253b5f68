using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Frames;

namespace AgentMesh.Protocol.Recovery;

/// <summary>Hears what became of the frames of a packet.</summary>
internal interface IFrameFate
{
    void FrameAcked(in SentFrame frame);

    void FrameLost(in SentFrame frame);
}

/// <param name="IsNew">Something was acknowledged for the first time.</param>
/// <param name="Confirmed">The greatest number that the other side knows to be acknowledged; null for none.</param>
internal readonly record struct AckOutcome(bool IsNew, ulong? Confirmed);

/// <summary>
/// Loss detection of one path (RFC 9002, section 6, and RFC 8985): a packet is lost when later ones were acknowledged and it is far enough behind, in time or, while the
/// path keeps the order of packets, in number; and probes go out when nothing is acknowledged at all.
/// </summary>
internal sealed class LossDetector(SentPacketRing sent, RttEstimator rtt, ICongestionController congestion, IFrameFate fate, ReorderingWindow? reordering = null, MtuSearch? mtu = null, EcnSender? ecn = null)
{
    /// <summary>RFC 9002, kPacketThreshold.</summary>
    public const int PacketThreshold = 3;

    /// <summary>A probe goes out at the latest after this time, however often nothing was heard.</summary>
    public static readonly TimeSpan ProbeTimeoutMax = TimeSpan.FromSeconds(2);

    private const int PersistentTimeouts = 3;
    private const int ProbesPerTimeout = 2;

    // Packets that hold nothing but acknowledgements are not acknowledged by themselves; more of them than this are forgotten unseen.
    private const int SettledMax = 256;

    private ReorderingWindow _reordering = reordering ?? new ReorderingWindow();
    private ulong? _largestAcked;
    private TimeSpan? _lossAt;
    private TimeSpan _lastElicitingAt;
    private int _timeouts;
    private ulong _oldestOutstanding;
    private TimeSpan? _runsFrom;
    private ulong _since;

    public long BytesInFlight { get; private set; }

    public int PacketsInFlight { get; private set; }

    /// <summary>Packets that may go out regardless of the window.</summary>
    public int Probes { get; private set; }

    /// <summary>Probes went out, and nothing was acknowledged since.</summary>
    public bool IsBackedOff => _timeouts > 0;

    /// <summary>When the newest of the packets was sent that were acknowledged.</summary>
    public TimeSpan NewestAnswered { get; private set; }

    public long PacketsSent { get; private set; }

    /// <summary>Without those that had taken another way before <see cref="Use"/>: they say nothing about this one.</summary>
    public long PacketsLost { get; private set; }

    /// <summary>Of those, the ones that were acknowledged after all: they were repeated in vain.</summary>
    public long PacketsLate { get; private set; }

    /// <summary>When <see cref="HandleTimeout"/> has something to do; null when nothing is in flight.</summary>
    public TimeSpan? NextTimeout(TimeSpan ackDelayMax) => _lossAt ?? (PacketsInFlight > 0 ? _lastElicitingAt + BackedOff(ackDelayMax) : null);

    public TimeSpan BackedOff(TimeSpan ackDelayMax)
    {
        TimeSpan timeout = rtt.ProbeTimeout(ackDelayMax) * (1 << Math.Min(_timeouts, 16));
        return timeout < ProbeTimeoutMax ? timeout : ProbeTimeoutMax;
    }

    /// <summary>Packets take another way from now on: those that are in flight say nothing about it.</summary>
    public void Use(RttEstimator otherRtt, ICongestionController otherCongestion, ReorderingWindow otherReordering, MtuSearch? otherMtu)
    {
        rtt = otherRtt;
        congestion = otherCongestion;
        _reordering = otherReordering;
        mtu = otherMtu;
        _since = sent.Next;
        _runsFrom = null;
    }

    public void Sent(SentPacket packet, TimeSpan now)
    {
        packet.SentAt = now;
        PacketsSent++;
        ecn?.Sent(packet);
        if (packet.IsAckEliciting)
        {
            packet.State = SentPacketState.Outstanding;
            BytesInFlight += packet.Bytes;
            PacketsInFlight++;
            _lastElicitingAt = now;
            Probes = Math.Max(0, Probes - 1);
            congestion.Sent(packet, BytesInFlight, now);
        }
        else if (sent.Next - sent.First > SettledMax)
        {
            Trim(now);
        }
    }

    /// <summary>False when it acknowledges what was never sent.</summary>
    /// <param name="marks">The counts of marked packets in front of it.</param>
    public bool TryHandleAck(in AckFrame ack, TimeSpan ackDelayMax, TimeSpan now, bool isWindowUsed, out AckOutcome outcome, EcnCountsFrame? marks = null)
    {
        outcome = default;
        ulong? confirmed = null;
        if (ack.Largest >= sent.Next)
        {
            return false;
        }

        bool anyNew = false;
        SentPacket? newest = null;
        bool isLargestNew = ack.Largest >= sent.First && sent[ack.Largest].State == SentPacketState.Outstanding;
        if (isLargestNew && ack.Largest >= _since)
        {
            TimeSpan most = rtt.AckDelayMax(ackDelayMax);
            rtt.Add(now - sent[ack.Largest].SentAt, ack.Delay < most ? ack.Delay : most);
            _runsFrom ??= now;
        }

        foreach (PacketRange range in ack)
        {
            if (range.Last < sent.First)
            {
                break;
            }

            for (ulong number = Math.Max(range.First, sent.First); number <= range.Last; number++)
            {
                SentPacket packet = sent[number];
                if (packet.AckedUpTo is { } upTo)
                {
                    confirmed = confirmed is { } before ? Math.Max(before, upTo) : upTo;
                    packet.AckedUpTo = null;
                }

                if (packet.State != SentPacketState.Settled)
                {
                    anyNew = true;
                    newest = newest is null || packet.Number > newest.Number ? packet : newest;
                    NewestAnswered = packet.SentAt > NewestAnswered ? packet.SentAt : NewestAnswered;
                    Settle(packet, now, isWindowUsed);
                }
            }
        }

        ulong marked = ecn?.AckDone(marks, isNewest: _largestAcked is null || ack.Largest > _largestAcked) ?? 0;
        _largestAcked = _largestAcked is { } largest ? Math.Max(largest, ack.Largest) : ack.Largest;
        _reordering.AckDone(ack.Largest, sent.Next, rtt);
        if (anyNew)
        {
            _timeouts = 0;
            Probes = 0;
        }

        DetectLost(now);
        if (marked > 0 && newest is not null)
        {
            congestion.Marked(newest, now);
        }

        congestion.AckDone(BytesInFlight, now, rtt);
        Trim(now);
        outcome = new AckOutcome(anyNew, confirmed);
        return true;
    }

    public void HandleTimeout(TimeSpan now, TimeSpan ackDelayMax)
    {
        if (_lossAt is { } lossAt)
        {
            if (lossAt <= now)
            {
                DetectLost(now);
                Trim(now);
            }

            return;
        }

        if (PacketsInFlight == 0 || _lastElicitingAt + BackedOff(ackDelayMax) > now)
        {
            return;
        }

        _timeouts++;
        Probes = ProbesPerTimeout;
        mtu?.TimedOut(_timeouts, LongestInFlight(), sent.Next);
        if (_timeouts == 1)
        {
            ecn?.TimedOut(sent.Next);
        }

        RepeatOldest();
    }

    /// <summary>
    /// The operating system did not send those packets from <paramref name="first"/> on that are longer than <paramref name="bytes"/>: what they hold is said again, and nobody is to blame.
    /// </summary>
    public void NotSent(ulong first, int bytes)
    {
        for (ulong number = Math.Max(first, sent.First); number < sent.Next; number++)
        {
            SentPacket packet = sent[number];
            if (packet.State == SentPacketState.Outstanding && packet.Bytes > bytes)
            {
                packet.State = SentPacketState.Lost;
                BytesInFlight -= packet.Bytes;
                PacketsInFlight--;
                ReportLost(packet);
            }
        }
    }

    /// <summary>The other side is somewhere else: what is in flight went to where nobody is any more, so it is probed at once.</summary>
    public void Moved()
    {
        _timeouts = 0;
        if (PacketsInFlight > 0)
        {
            Probes = ProbesPerTimeout;
            RepeatOldest();
        }
    }

    /// <summary>Says the frames of the oldest packets again without calling them lost: something in them may be all that the other side waits for.</summary>
    private void RepeatOldest()
    {
        int repeated = 0;
        for (ulong number = sent.First; number < sent.Next && repeated < ProbesPerTimeout; number++)
        {
            SentPacket packet = sent[number];
            if (packet.State == SentPacketState.Outstanding)
            {
                ReportLost(packet);
                repeated++;
            }
        }
    }

    private int LongestInFlight()
    {
        int longest = 0;
        for (ulong number = sent.First; number < sent.Next; number++)
        {
            SentPacket packet = sent[number];
            longest = packet.State == SentPacketState.Outstanding && !packet.IsMtuProbe ? Math.Max(longest, packet.Bytes) : longest;
        }

        return longest;
    }

    private void Settle(SentPacket packet, TimeSpan now, bool isWindowUsed)
    {
        bool isOfThisWay = packet.Number >= _since;
        if (isOfThisWay && packet.Number < _largestAcked)
        {
            _reordering.ArrivedBehind(packet.State == SentPacketState.Lost);
        }

        if (packet.State != SentPacketState.Lost)
        {
            BytesInFlight -= packet.Bytes;
            PacketsInFlight--;
            if (isOfThisWay)
            {
                congestion.Acked(packet, now, rtt, isWindowUsed);
            }
        }
        else if (isOfThisWay && !packet.IsMtuProbe)
        {
            PacketsLate++;
            congestion.ArrivedLate(packet, now);
        }

        if (isOfThisWay)
        {
            mtu?.Acked(packet, now);
        }

        ecn?.Acked(packet);
        packet.State = SentPacketState.Settled;
        foreach (ref readonly SentFrame frame in packet.Frames)
        {
            fate.FrameAcked(frame);
        }

        packet.Forget();
    }

    private void DetectLost(TimeSpan now)
    {
        _lossAt = null;
        if (_largestAcked is not { } largest)
        {
            return;
        }

        TimeSpan delay = (rtt.Smoothed > rtt.Latest ? rtt.Smoothed : rtt.Latest) + _reordering.Time(rtt);
        delay = delay > RttEstimator.Granularity ? delay : RttEstimator.Granularity;
        TimeSpan? lastLostAt = null;
        ulong number = Math.Max(sent.First, _oldestOutstanding);
        for (; number < largest; number++)
        {
            SentPacket packet = sent[number];
            if (packet.State != SentPacketState.Outstanding)
            {
                continue;
            }

            bool isFarBehind = !_reordering.IsReordering && largest - number >= PacketThreshold;
            if (!isFarBehind && packet.SentAt + delay > now)
            {
                _lossAt = packet.SentAt + delay;
                break; // later ones were sent later
            }

            packet.State = SentPacketState.Lost;
            BytesInFlight -= packet.Bytes;
            PacketsInFlight--;
            ecn?.Lost(packet);
            if (number >= _since && mtu?.Lost(packet, now) != true)
            {
                PacketsLost++;
                lastLostAt = packet.SentAt;
                congestion.PacketLost(packet, now);
            }

            ReportLost(packet);
        }

        _oldestOutstanding = number;
        if (lastLostAt is { } last)
        {
            _reordering.Lost(sent.Next);
            congestion.Lost(last, now);
            if (IsPersistent(largest))
            {
                _runsFrom = now;
                congestion.PersistentlyLost();
            }
        }
    }

    /// <summary>Whether everything that was sent in some span of three probe timeouts was lost (RFC 9002, section 7.6). Time before the first sample does not count.</summary>
    private bool IsPersistent(ulong largest)
    {
        TimeSpan span = PersistentTimeouts * rtt.ProbeTimeout(TimeSpan.Zero);
        TimeSpan? runStart = null;
        for (ulong number = sent.First; number < largest; number++)
        {
            SentPacket packet = sent[number];
            if (!packet.IsAckEliciting || packet.IsMtuProbe)
            {
                continue;
            }

            if (packet.State != SentPacketState.Lost || _runsFrom is not { } from || packet.SentAt <= from)
            {
                runStart = null;
            }
            else if (packet.SentAt - (runStart ??= packet.SentAt) > span)
            {
                return true;
            }
        }

        return false;
    }

    // A lost packet is remembered for a while: should it be acknowledged after all, losses were called too early.
    private void Trim(TimeSpan now) => sent.Trim(now - (2 * rtt.Smoothed) - _reordering.Time(rtt));

    private void ReportLost(SentPacket packet)
    {
        foreach (ref readonly SentFrame frame in packet.Frames)
        {
            fate.FrameLost(frame);
        }
    }
}
