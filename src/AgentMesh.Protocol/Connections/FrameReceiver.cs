using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Recovery;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Connections;

/// <param name="Violation">A code of <see cref="CloseCodes"/>; 0 when all is well.</param>
/// <param name="IsUse">A frame about streams was among them.</param>
/// <param name="IsAnswer">Something that this side sent was acknowledged for the first time.</param>
/// <param name="IsProbe">It asks or answers about a path and says nothing else.</param>
/// <param name="IsQuestion">It asks whether somebody is there.</param>
/// <param name="Close">The other side ended the connection.</param>
internal readonly record struct FrameOutcome(ulong Violation, bool IsAckEliciting = false, bool IsUse = false, bool IsAnswer = false, bool IsProbe = false, bool IsQuestion = false, CloseFrame? Close = null);

/// <summary>Takes the frames of an authentic packet apart and gives each to who it is for.</summary>
internal sealed class FrameReceiver(NetworkPath path, Whereabouts where, PathProber prober, PathTable paths, PathMeasuring measuring, MappingWatch mapping, StreamLayer streams, IPacketProtector protector, TimeSpan ackDelayMax)
{
    public FrameOutcome Handle(ReadOnlySpan<byte> payload, TimeSpan now)
    {
        bool isAckEliciting = false, isUse = false, hasAck = false, isAnswer = false, isProbe = true, isQuestion = false;
        EcnCountsFrame? marks = null;
        while (!payload.IsEmpty)
        {
            byte type = payload[0];
            payload = payload[1..];
            ulong violation = CloseCodes.None;
            isProbe &= (FrameType)type is FrameType.Padding or FrameType.PathChallenge or FrameType.PathResponse;
            switch ((FrameType)type)
            {
                case FrameType.Padding:
                    break;
                case FrameType.Close:
                    return CloseFrame.TryRead(ref payload, out CloseFrame close)
                        ? new FrameOutcome(CloseCodes.None, Close: close)
                        : new FrameOutcome(CloseCodes.FrameEncoding);
                case FrameType.Ack:
                    // One is enough to say everything, and each costs a walk over what is in flight.
                    violation = hasAck ? CloseCodes.FrameEncoding : HandleAck(ref payload, marks, now, out isAnswer);
                    hasAck = true;
                    break;
                case FrameType.EcnCounts:
                    violation = EcnCountsFrame.TryRead(ref payload, out EcnCountsFrame counts) ? CloseCodes.None : CloseCodes.FrameEncoding;
                    marks = counts;
                    break;
                case FrameType.AckFrequency:
                    violation = AckFrequencyFrame.TryRead(ref payload, out AckFrequencyFrame asked) ? CloseCodes.None : CloseCodes.FrameEncoding;
                    path.Received.Asked(asked.Delay, now);
                    break;
                case FrameType.Ping:
                    isAckEliciting = isQuestion = true;
                    break;
                case FrameType.Rekey:
                    isAckEliciting = true;
                    violation = HandleRekey(ref payload, now);
                    break;
                case FrameType.PathChallenge or FrameType.PathResponse:
                    isAckEliciting = isQuestion = true;
                    violation = HandlePath((FrameType)type, ref payload);
                    break;
                case FrameType.ObservedAddress:
                    isAckEliciting = true;
                    violation = HandleObserved(ref payload, now);
                    break;
                default:
                    isAckEliciting = isUse = true;
                    violation = StreamFrame.IsType(type) ? HandleStream(type, ref payload, now) : HandleOther((FrameType)type, ref payload, now);
                    break;
            }

            if (violation != CloseCodes.None)
            {
                return new FrameOutcome(violation);
            }
        }

        return new FrameOutcome(CloseCodes.None, isAckEliciting, isUse, isAnswer, isProbe, isQuestion);
    }

    /// <summary>Whether a packet that arrives while this side is closing says goodbye as well. Such a packet holds nothing else.</summary>
    public static bool ContainsClose(ReadOnlySpan<byte> payload) => !payload.IsEmpty && payload[0] == (byte)FrameType.Close;

    private ulong HandleStream(byte type, ref ReadOnlySpan<byte> payload, TimeSpan now) =>
        StreamFrame.TryRead(type, ref payload, out StreamFrame frame, out ReadOnlySpan<byte> data)
            ? streams.HandleStream(frame, data, now)
            : CloseCodes.FrameEncoding;

    private ulong HandleOther(FrameType type, ref ReadOnlySpan<byte> payload, TimeSpan now)
    {
        switch (type)
        {
            case FrameType.ResetStream when ResetStreamFrame.TryRead(ref payload, out ResetStreamFrame reset):
                return streams.HandleReset(reset, now);
            case FrameType.StopSending when StopSendingFrame.TryRead(ref payload, out StopSendingFrame stop):
                return streams.HandleStopSending(stop);
            case FrameType.MaxData when MaxDataFrame.TryRead(ref payload, out MaxDataFrame maxData):
                streams.HandleMaxData(maxData);
                return CloseCodes.None;
            case FrameType.MaxStreamData when MaxStreamDataFrame.TryRead(ref payload, out MaxStreamDataFrame maxStreamData):
                return streams.HandleMaxStreamData(maxStreamData);
            case FrameType.MaxStreams when MaxStreamsFrame.TryRead(ref payload, out MaxStreamsFrame maxStreams):
                streams.HandleMaxStreams(maxStreams);
                return CloseCodes.None;
            default:
                return CloseCodes.FrameEncoding;
        }
    }

    private ulong HandlePath(FrameType type, ref ReadOnlySpan<byte> payload)
    {
        if (!PathFrame.TryRead(ref payload, out ReadOnlySpan<byte> data))
        {
            return CloseCodes.FrameEncoding;
        }

        if (type == FrameType.PathChallenge)
        {
            where.Challenged(data);
        }
        else
        {
            where.Answered(data);
            prober.Answered(data);
            paths.Answered(data);
            measuring.Answered(data);
        }

        return CloseCodes.None;
    }

    private ulong HandleObserved(ref ReadOnlySpan<byte> payload, TimeSpan now)
    {
        if (!ObservedAddressFrame.TryRead(ref payload, out ObservedAddressFrame frame))
        {
            return CloseCodes.FrameEncoding;
        }

        mapping.Observed(frame, now);
        return CloseCodes.None;
    }

    private ulong HandleRekey(ref ReadOnlySpan<byte> payload, TimeSpan now) =>
        !RekeyFrame.TryRead(ref payload, out ReadOnlySpan<byte> message) ? CloseCodes.FrameEncoding
        : protector.HandleRekey(message, now) ? CloseCodes.None
        : CloseCodes.BadRekey;

    private ulong HandleAck(ref ReadOnlySpan<byte> payload, EcnCountsFrame? marks, TimeSpan now, out bool isAnswer)
    {
        isAnswer = false;
        if (!AckFrame.TryRead(ref payload, out AckFrame ack))
        {
            return CloseCodes.FrameEncoding;
        }

        if (!path.Loss.TryHandleAck(ack, ackDelayMax, now, path.IsWindowUsed, out AckOutcome outcome, marks))
        {
            return CloseCodes.BadAck;
        }

        isAnswer = outcome.IsNew;
        if (outcome.Confirmed is { } upTo)
        {
            path.Received.Confirmed(upTo);
        }

        return CloseCodes.None;
    }
}
