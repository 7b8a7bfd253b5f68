using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Connections;

/// <summary>
/// Which packets arrived on one path and when that has to be said. At once when packets are missing, out of order or marked; else after every <see cref="EveryMin"/>nd and later
/// every <see cref="Every"/>th, or when the delay is over; by time alone where the other side asked for it and all is well (<see cref="ThinnedAcks"/>).
/// </summary>
internal sealed class ReceivedPackets(TimeSpan delayMax)
{
    /// <summary>At first the other side's window is small and every acknowledgement counts.</summary>
    public const int EveryMin = 2;

    public const int Every = 10;

    /// <summary>And as soon as so many bytes wait: the other side's window may be no more than some long packets.</summary>
    public const int EveryBytes = 32 * 1024;

    private const int SoonPackets = 100;

    // What comes after so much silence may be a probe of a side that has not heard the acknowledgements before: each of its packets is to have one of its own.
    private static readonly TimeSpan SilenceMin = TimeSpan.FromSeconds(1);

    // Half-open ranges of numbers; bounded by what one frame tells, the oldest go first.
    private readonly RangeSet _ranges = new();
    private TimeSpan _largestAt;
    private int _unacked;
    private int _unackedBytes;
    private long _seen;
    private TimeSpan? _elicitedAt;
    private ArrivedMarks _marks;
    private ThinnedAcks _thinned;
    private bool _isWanted;

    /// <summary>When an acknowledgement is due; null when there is nothing to acknowledge.</summary>
    public TimeSpan? DueAt { get; private set; }

    /// <summary>Nothing has arrived yet.</summary>
    public bool IsEmpty => _ranges.IsEmpty;

    /// <summary>The other side takes counts of marks.</summary>
    public bool TellsMarks { get; init; }

    /// <summary>Packets that a queue on the way marked.</summary>
    public ulong Marked => _marks.Ce;

    public bool IsDue(TimeSpan now) => DueAt <= now;

    /// <summary>Acknowledgements wait by time, because the other side wants it so.</summary>
    public bool IsThinned(TimeSpan now) => _thinned.IsInForce(now);

    /// <summary>The packet at hand, of which <see cref="Add"/> follows, asks how long packets may wait.</summary>
    /// <param name="delay">Zero: no longer than was promised, and this one not at all.</param>
    public void Asked(TimeSpan delay, TimeSpan now)
    {
        _thinned.Asked(delay, now);
        _isWanted |= delay <= TimeSpan.Zero;
    }

    /// <summary>What was asked is over: packets may take another way, or this device was asleep.</summary>
    public void Unthin() => _thinned.Drop();

    /// <param name="isQuestion">It is there to be answered, and hardly for anything else: what was asked of the flow does not count for it.</param>
    public void Add(ulong number, int bytes, bool isAckEliciting, TimeSpan now, EcnCodepoint ecn = EcnCodepoint.NotEct, bool isQuestion = false)
    {
        _marks.Add(ecn);
        ulong expected = _ranges.IsEmpty ? 0 : _ranges[_ranges.Count - 1].End;
        _ranges.Add(number, number + 1);
        if (_ranges.Count > AckFrame.RangesMax)
        {
            _ranges.Take(ulong.MaxValue);
        }

        if (number >= expected)
        {
            _largestAt = now;
        }

        bool isTrouble = number != expected || ecn == EcnCodepoint.Ce;
        if (isTrouble)
        {
            _thinned.Drop();
        }

        if (!isAckEliciting)
        {
            return;
        }

        _seen++;
        _unacked++;
        _unackedBytes += bytes;
        bool isAfterSilence = now - _elicitedAt >= SilenceMin;
        _elicitedAt = now;
        if (isAfterSilence)
        {
            _thinned.Drop();
        }

        bool isThinned = !isQuestion && _thinned.IsInForce(now);
        bool isMuch = isThinned ? _unacked >= ThinnedAcks.Every : _unackedBytes >= EveryBytes || _unacked >= (_seen < SoonPackets ? EveryMin : Every);
        bool atOnce = isTrouble || isAfterSilence || _isWanted || isMuch;
        TimeSpan due = atOnce ? now : now + (isThinned ? _thinned.Delay : delayMax);
        DueAt = due < DueAt ? due : DueAt ?? due;
        _isWanted = false;
    }

    /// <summary>Writes an ACK frame when something new arrived, and before it how much of all arrived marked. What was due is done.</summary>
    public int Write(Span<byte> destination, TimeSpan now, out ulong upTo)
    {
        upTo = 0;
        if (DueAt is null)
        {
            return 0;
        }

        Span<PacketRange> newestFirst = stackalloc PacketRange[_ranges.Count];
        for (int i = 0; i < newestFirst.Length; i++)
        {
            (ulong start, ulong end) = _ranges[_ranges.Count - 1 - i];
            newestFirst[i] = new PacketRange(start, end - 1);
        }

        EcnCountsFrame counts = _marks.Frame;
        int countsBytes = TellsMarks && !_marks.IsEmpty && counts.Size < destination.Length ? counts.Size : 0;
        int written = AckFrame.Write(destination[countsBytes..], newestFirst, now - _largestAt);
        if (written > 0)
        {
            if (countsBytes > 0)
            {
                written += counts.Write(destination);
            }

            upTo = newestFirst[0].Last;
            DueAt = null;
            _unacked = 0;
            _unackedBytes = 0;
        }

        return written;
    }

    /// <summary>The other side has seen an acknowledgement up to this number: what lies before needs no repetition.</summary>
    public void Confirmed(ulong upTo)
    {
        // The newest stays, so that the next expected number is known.
        while (_ranges.Count > 1 && _ranges.First.End <= upTo)
        {
            _ranges.Take(ulong.MaxValue);
        }
    }
}
