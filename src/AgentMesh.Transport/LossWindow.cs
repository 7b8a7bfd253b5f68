using AgentMesh.Protocol.Recovery;

namespace AgentMesh.Transport;

/// <summary>Which share of the packets was lost lately: over the last 1,024 to 2,048 packets of the path in use.</summary>
internal struct LossWindow
{
    public const long Packets = 1024;

    // Fewer than this say nothing.
    private const long PacketsMin = 32;

    private long _sent;
    private long _lost;
    private long _sentBefore;
    private long _lostBefore;

    /// <summary>From here on: packets take another way now.</summary>
    public void Restart(LossDetector loss)
    {
        (_sentBefore, _lostBefore) = (loss.PacketsSent, loss.PacketsLost);
        (_sent, _lost) = (_sentBefore, _lostBefore);
    }

    /// <summary>To be called often.</summary>
    public void Note(LossDetector loss)
    {
        if (loss.PacketsSent - _sent >= Packets)
        {
            (_sentBefore, _lostBefore) = (_sent, _lost);
            (_sent, _lost) = (loss.PacketsSent, loss.PacketsLost);
        }
    }

    /// <summary>0 to 1; null when too little was sent to say.</summary>
    public readonly double? Ratio(LossDetector loss)
    {
        long sent = loss.PacketsSent - _sentBefore;
        return sent < PacketsMin ? null : Math.Clamp((loss.PacketsLost - _lostBefore) / (double)sent, 0, 1);
    }
}
