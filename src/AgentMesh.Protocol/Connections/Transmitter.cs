using System.Net;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Recovery;
using AgentMesh.Protocol.Relaying;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Connections;

/// <summary>The sending half of a <see cref="Connection"/>: decides what goes into the next datagram and where it goes, and seals it.</summary>
internal sealed class Transmitter(
    EstablishedSession session, NetworkPath path, Whereabouts where, PathProber prober, PathTable paths, PathMeasuring measuring, AddressTeller teller, MappingWatch mapping, RekeyCarrier rekey, Liveness liveness, Closing closing, StreamLayer streams, AckThinning thinning, SendShare? share, TimeSpan ackDelayMax)
{
    // A side that only receives asks so often for an acknowledgement of its acknowledgements; what they tell can be forgotten then (RFC 9000, section 13.2.4).
    private const int AcksOnlyMax = 32;

    private readonly IPacketProtector _protector = session.Protector;
    private int _acksOnly;
    private ulong _firstOfBatch;
    private bool _goesAlone;
    private IPEndPoint? _judged;
    private bool _carriesMarks;

    /// <summary>Where the datagram goes that was written last.</summary>
    public IPEndPoint Destination { get; private set; } = where.Remote;

    /// <summary>Packets may ask for marks of queues: this side wants it, and the other one tells what came of it.</summary>
    public bool AsksForMarks { get; init; }

    /// <summary>As <see cref="AsksForMarks"/>, on the path in use.</summary>
    public bool MayCarryMarks => AsksForMarks && CarriesMarks;

    /// <summary>The datagrams that were written last ask for marks.</summary>
    public bool IsEct { get; private set; }

    /// <summary>A PING is to be sent as soon as it may.</summary>
    public bool IsPingPending { get; set; }

    /// <summary>What there is waits for <see cref="Pacer.NextAt"/>.</summary>
    public bool IsPacing { get; private set; }

    /// <summary>What there is waits for <see cref="SendShare.NextAt"/>: this device sends no more in a second.</summary>
    public bool IsHeld { get; private set; }

    /// <summary>Nothing can be sealed any more.</summary>
    public bool HasNoKeys { get; private set; }

    /// <summary>See <see cref="Connection.PollTransmits"/>.</summary>
    public int Poll(Span<byte> buffer, int countMax, TimeSpan now, out int datagramBytes)
    {
        int used = 0;
        datagramBytes = 0;
        _firstOfBatch = path.Sent.Next;
        _goesAlone = false;
        IsEct = closing.IsOpen && MayAskForMarks;
        countMax = IsEct ? Math.Min(countMax, path.Ecn.Path.SendMax) : countMax; // what goes out together has one codepoint
        do
        {
            int length = WriteDatagram(buffer[used..], now, isOneOfMany: countMax > 1);
            datagramBytes = Math.Max(datagramBytes, length);
            used += length;
            countMax--;

            // Only whole ones can be followed by others, to the same address.
            if (length != path.DatagramBytes || _goesAlone)
            {
                break;
            }
        }
        while (countMax > 0 && buffer.Length - used >= path.DatagramBytes && closing.IsOpen && !where.IsChallengePending && !IsProbeDue && prober.NextTimeout > now && paths.NextQuestionAt > now && !measuring.IsDue);
        if (used > 0)
        {
            _protector.MaskSealed(buffer[..used], datagramBytes);
        }

        return used;
    }

    /// <summary>The header is masked by the caller.</summary>
    private int WriteDatagram(Span<byte> buffer, TimeSpan now, bool isOneOfMany)
    {
        if (!closing.IsOpen)
        {
            return closing.IsFramePending ? TransmitClose(buffer, now) : 0;
        }

        if (where.IsChallengePending && !path.Sent.IsFull)
        {
            where.ChallengeSent();
            return TransmitPathFrame(buffer, where.Candidate!, FrameType.PathChallenge, where.Challenge, now);
        }

        if (!path.Sent.IsFull && prober.TryNext(now, out IPEndPoint to, out FrameType type, out ReadOnlySpan<byte> data))
        {
            return TransmitPathFrame(buffer, to, type, data, now, type == FrameType.PathResponse ? prober.AnswerBytes : 0);
        }

        if (paths.NextQuestionAt <= now && !path.Sent.IsFull && paths.TryNext(path.Rtt, ackDelayMax, now, out to, out data))
        {
            // A path that only answers what is short is of no use to data.
            return TransmitPathFrame(buffer, to, FrameType.PathChallenge, data, now, MtuSettings.Floor);
        }

        if (measuring.IsDue && !path.Sent.IsFull && measuring.TryNext(now, out to, out data))
        {
            return TransmitPathFrame(buffer, to, FrameType.PathChallenge, data, now);
        }

        Destination = where.Remote;
        rekey.Poll(now);
        IsPacing = false;
        IsHeld = share is not null && streams.HasData && !share.MaySend(now);
        bool hasWork = HasWork;
        bool mayElicit = (hasWork || _acksOnly >= AcksOnlyMax) && MayElicit(now);
        bool isAckDue = path.Received.IsDue(now);
        if (!hasWork && path.IsWindowOpen)
        {
            path.Congestion.RanDry(path.Loss.BytesInFlight);
        }

        if (path.Sent.IsFull || (!isAckDue && !where.IsResponsePending && !(mayElicit && hasWork)))
        {
            return 0;
        }

        if (mayElicit && IsProbeDue && path.Mtu.ProbeBytes <= buffer.Length)
        {
            return TransmitMtuProbe(buffer, now);
        }

        SentPacket draft = path.Sent.Draft();
        int datagramBytes = path.Loss.Probes > 0 ? path.Mtu.AfterTimeoutBytes(draft.Number) : path.DatagramBytes;
        Span<byte> payload = buffer[PacketLayout.HeaderBytes..(datagramBytes - PacketLayout.TagBytes)];
        var writer = new PacketWriter(payload, draft);
        writer.WriteAck(path.Received, now);
        bool isForRemote = where.IsResponsePending;
        if (where.IsResponsePending && writer.TryWritePath(FrameType.PathResponse, where.Response))
        {
            where.ResponseSent();
        }

        if (mayElicit)
        {
            if (hasWork && thinning.Poll(now) is { } asked && writer.TryWriteAckFrequency(asked))
            {
                thinning.Asked(asked, now);
            }

            WriteFrames(ref writer);
            if (!draft.IsAckEliciting && (path.Loss.Probes > 0 || _acksOnly >= AcksOnlyMax))
            {
                writer.TryWritePing();
            }

            if (isOneOfMany && HasData)
            {
                writer.FillUp();
            }
        }

        if (paths.AckTo is { } heardFrom && !draft.IsAckEliciting && !isForRemote && draft.Number == _firstOfBatch)
        {
            Destination = heardFrom;
            IsEct = false;
        }

        return writer.Length == 0 ? 0 : Seal(buffer, writer.Length, draft, now);
    }

    /// <summary>What was written last was refused by the system, because it is longer than the first link carries.</summary>
    public void TooLong(TimeSpan now)
    {
        if (_firstOfBatch < path.Sent.Next)
        {
            path.Mtu.Refused(path.Sent[_firstOfBatch].Bytes, now);
            path.Loss.NotSent(_firstOfBatch, path.DatagramBytes);
        }
    }

    // Not before anything was heard on this path, and no probe: the first to find a network that drops such packets must not be what everything waits for.
    private bool MayAskForMarks => AsksForMarks && path.Ecn.Path.SendMax > 0 && path.Rtt.HasSample && path.Loss.Probes == 0 && !path.Loss.IsBackedOff && CarriesMarks;

    /// <summary>A relay, a tunnel or a spare socket sends datagrams of its own, without the marks.</summary>
    private bool CarriesMarks
    {
        get
        {
            if (!ReferenceEquals(_judged, where.Remote))
            {
                _judged = where.Remote;
                _carriesMarks = !RelayAddress.IsRelay(_judged) && !SpareAddress.IsSpare(_judged);
            }

            return _carriesMarks;
        }
    }

    // What the path carries is of no use before the other side was heard.
    private bool IsProbeDue => !path.Received.IsEmpty && path.Loss.Probes == 0 && path.Mtu.ProbeBytes > 0;

    private bool HasWork => IsProbeDue || IsPingPending || rekey.IsPending || teller.IsPending || streams.HasControl || HasData || path.Loss.Probes > 0;

    private bool HasData => IsHeld ? streams.HasUrgentData : streams.HasData;

    /// <summary>Whether window and pacing allow a packet that counts.</summary>
    private bool MayElicit(TimeSpan now)
    {
        if (path.Loss.Probes > 0)
        {
            return true;
        }

        if (!path.IsWindowOpen)
        {
            return false;
        }

        path.Pacer.Refill(now, path.Congestion, path.Rtt, path.DatagramBytes);

        // Probes go regardless of the pacer and may leave it seconds behind: a question whether the other side is there is due now or it is none.
        IsPacing = !path.Pacer.CanSend && !(IsPingPending && path.Loss.PacketsInFlight == 0);
        return !IsPacing;
    }

    private void WriteFrames(ref PacketWriter writer)
    {
        if (IsPingPending && writer.TryWritePing())
        {
            IsPingPending = false;
        }

        if (rekey.IsPending && writer.TryWriteRekey(rekey.Message, rekey.Number))
        {
            rekey.Sent();
        }

        if (teller.IsPending && writer.TryWriteObserved(teller.Frame))
        {
            teller.Sent();
        }

        if (streams.HasControl)
        {
            streams.WriteControl(ref writer);
        }

        if (writer.HasRoomForData && IsHeld)
        {
            streams.WriteUrgentData(ref writer);
        }
        else if (writer.HasRoomForData)
        {
            streams.WriteData(ref writer);
        }
    }

    private int Seal(Span<byte> buffer, int payloadLength, SentPacket draft, TimeSpan now)
    {
        if (!_protector.TrySealBare(buffer, payloadLength, session.RemoteConnectionId, path.Id, draft.Number, now, out int length))
        {
            HasNoKeys = true;
            return 0;
        }

        // Where what asks is dropped, it must not be acknowledgements: nobody would notice.
        IsEct &= draft.IsAckEliciting || draft.Number != _firstOfBatch;
        draft.Bytes = length;
        draft.IsEct = IsEct;
        share?.Sent(length);
        path.Sent.Commit(draft);
        path.Loss.Sent(draft, now);
        mapping.Sent(now);
        if (draft.IsAckEliciting)
        {
            _acksOnly = 0;
            path.Pacer.Sent(length);
            liveness.SentEliciting(draft.IsUse, now);
        }
        else
        {
            _acksOnly++;
        }

        return length;
    }

    /// <param name="bytesMin">Padded up to this length.</param>
    private int TransmitPathFrame(Span<byte> buffer, IPEndPoint to, FrameType type, ReadOnlySpan<byte> data, TimeSpan now, int bytesMin = 0)
    {
        Destination = to;
        _goesAlone = true;
        IsEct = false;
        SentPacket draft = path.Sent.Draft();
        var writer = new PacketWriter(buffer[PacketLayout.HeaderBytes..(path.DatagramBytes - PacketLayout.TagBytes)], draft);
        writer.TryWritePath(type, data);
        writer.FillUpTo(bytesMin - PacketLayout.Overhead);
        return Seal(buffer, writer.Length, draft, now);
    }

    private int TransmitMtuProbe(Span<byte> buffer, TimeSpan now)
    {
        IsEct = false; // it asks about its length alone
        SentPacket draft = path.Sent.Draft();
        draft.IsMtuProbe = true;
        Span<byte> payload = buffer[PacketLayout.HeaderBytes..(path.Mtu.ProbeBytes - PacketLayout.TagBytes)];
        payload.Clear();
        var writer = new PacketWriter(payload, draft);
        writer.TryWritePing();
        path.Mtu.ProbeSent(draft.Number);
        return Seal(buffer, payload.Length, draft, now);
    }

    private int TransmitClose(Span<byte> buffer, TimeSpan now)
    {
        closing.FrameSent();
        Destination = where.Remote;
        if (path.Sent.IsFull)
        {
            return 0;
        }

        SentPacket draft = path.Sent.Draft();
        int payloadLength = closing.Frame.Write(buffer[PacketLayout.HeaderBytes..]);
        if (!_protector.TrySealBare(buffer, payloadLength, session.RemoteConnectionId, path.Id, draft.Number, now, out int length))
        {
            return 0;
        }

        path.Sent.Commit(draft);
        return length;
    }
}
