namespace AgentMesh.Protocol.Recovery;

internal enum SentPacketState : byte
{
    /// <summary>Acknowledged, or it needed no acknowledgement.</summary>
    Settled,
    Outstanding,

    /// <summary>Given up, its frames are said again. A late acknowledgement shows that it was too early.</summary>
    Lost,
}

/// <summary>One packet of the <see cref="SentPacketRing"/>; the object is used again for a later packet.</summary>
internal sealed class SentPacket
{
    private SentFrame[] _frames = new SentFrame[2];
    private int _frameCount;

    public ulong Number { get; private set; }

    public TimeSpan SentAt { get; set; }

    /// <summary>Length of the datagram.</summary>
    public int Bytes { get; set; }

    public SentPacketState State { get; set; }

    /// <summary>Kept for the congestion controller.</summary>
    public SendSnapshot Snapshot { get; set; }

    /// <summary>It has a frame other than ACK, PADDING and CLOSE: the other side acknowledges it, and it counts as in flight.</summary>
    public bool IsAckEliciting { get; set; }

    /// <summary>It was only sent to see whether a packet as long arrives.</summary>
    public bool IsMtuProbe { get; set; }

    /// <summary>It asked for marks (<see cref="Packets.EcnCodepoint.Ect0"/>).</summary>
    public bool IsEct { get; set; }

    /// <summary>The greatest packet number that it acknowledged; null without an ACK frame.</summary>
    public ulong? AckedUpTo { get; set; }

    /// <summary>It says something about streams, and not only that this side is there or wants new keys.</summary>
    public bool IsUse { get; private set; }

    public ReadOnlySpan<SentFrame> Frames => _frames.AsSpan(0, _frameCount);

    public void Reset(ulong number)
    {
        Forget();
        Number = number;
        Bytes = 0;
        State = SentPacketState.Settled;
        IsAckEliciting = false;
        IsUse = false;
        IsMtuProbe = false;
        IsEct = false;
        AckedUpTo = null;
    }

    public void Add(in SentFrame frame)
    {
        if (_frameCount == _frames.Length)
        {
            Array.Resize(ref _frames, _frames.Length * 2);
        }

        _frames[_frameCount++] = frame;
        IsAckEliciting = true;
        IsUse |= frame.Kind != SentFrameKind.Rekey;
    }

    /// <summary>Lets go of the streams, so that ended ones are not kept alive.</summary>
    public void Forget()
    {
        Array.Clear(_frames, 0, _frameCount);
        _frameCount = 0;
    }
}
