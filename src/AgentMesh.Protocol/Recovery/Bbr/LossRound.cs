namespace AgentMesh.Protocol.Recovery;

/// <summary>What was lost, marked and delivered in one round, counted from the first loss or mark on.</summary>
internal sealed class LossRound
{
    private long _nextDelivered;
    private ulong _lastLost;

    /// <summary>The acknowledgement at hand ends a round.</summary>
    public bool IsEnd { get; private set; }

    public long LostBytes { get; private set; }

    /// <summary>A queue marked packets.</summary>
    public bool IsMarked { get; private set; }

    /// <summary>Rounds with marks, one after the other, before this one.</summary>
    public int MarkedBefore { get; private set; }

    /// <summary>Runs of packets one after the other.</summary>
    public int LostRuns { get; private set; }

    /// <summary>The most of the round.</summary>
    public double BytesPerSecond { get; private set; }

    public double Delivered { get; private set; }

    /// <returns>It is the first of the round.</returns>
    public bool PacketLost(SentPacket packet, long delivered)
    {
        bool isFirst = LostBytes == 0;
        _nextDelivered = isFirst && !IsMarked ? delivered : _nextDelivered;
        LostBytes += packet.Bytes;
        LostRuns += packet.Number == _lastLost + 1 ? 0 : 1;
        _lastLost = packet.Number;
        return isFirst;
    }

    public void Marked(long delivered)
    {
        _nextDelivered = LostBytes == 0 && !IsMarked ? delivered : _nextDelivered;
        IsMarked = true;
    }

    /// <summary>What it means was heeded.</summary>
    public void ForgetMarks()
    {
        MarkedBefore = IsMarked ? MarkedBefore + 1 : 0;
        IsMarked = false;
    }

    public void Update(in RateSample sample, long delivered)
    {
        BytesPerSecond = Math.Max(BytesPerSecond, sample.BytesPerSecond);
        Delivered = Math.Max(Delivered, sample.Delivered);
        IsEnd = sample.PriorDelivered >= _nextDelivered;
        if (IsEnd)
        {
            _nextDelivered = delivered;
        }
    }

    public void ForgetLosses()
    {
        LostBytes = 0;
        LostRuns = 0;
    }

    /// <summary>After an acknowledgement: where it ended a round, the next one begins with it.</summary>
    public void Advance(in RateSample sample)
    {
        if (IsEnd)
        {
            BytesPerSecond = sample.BytesPerSecond;
            Delivered = sample.Delivered;
        }
    }

    public void Reset()
    {
        ForgetLosses();
        ForgetMarks();
        BytesPerSecond = 0;
        Delivered = 0;
    }
}
