using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Connections;

/// <param name="Violation">A code of <see cref="CloseCodes"/>; 0 when all is well.</param>
/// <param name="Close">The other side ended the connection.</param>
internal readonly record struct FrameOutcome(ulong Violation, bool IsAckEliciting, CloseFrame? Close);

/// <summary>Takes the frames of an authentic packet apart and gives each to who it is for.</summary>
internal sealed class FrameReceiver(NetworkPath path, Whereabouts where, StreamLayer streams, IPacketProtector protector, TimeSpan ackDelayMax)
{
    public FrameOutcome Handle(ReadOnlySpan<byte> payload, TimeSpan now)
    {
        bool isAckEliciting = false;
        while (!payload.IsEmpty)
        {
            byte type = payload[0];
            payload = payload[1..];
            if (type == (byte)FrameType.Padding)
            {
                continue;
            }

            if (type == (byte)FrameType.Close)
            {
                return CloseFrame.TryRead(ref payload, out CloseFrame close)
                    ? new FrameOutcome(CloseCodes.None, isAckEliciting, close)
                    : new FrameOutcome(CloseCodes.FrameEncoding, isAckEliciting, null);
            }

            isAckEliciting |= type != (byte)FrameType.Ack;
            ulong violation = StreamFrame.IsType(type) ? HandleStream(type, ref payload, now) : HandleOther((FrameType)type, ref payload, now);
            if (violation != CloseCodes.None)
            {
                return new FrameOutcome(violation, isAckEliciting, null);
            }
        }

        return new FrameOutcome(CloseCodes.None, isAckEliciting, null);
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
            case FrameType.Ping:
                return CloseCodes.None;
            case FrameType.Ack when AckFrame.TryRead(ref payload, out AckFrame ack):
                return HandleAck(ack, now);
            case FrameType.Rekey when RekeyFrame.TryRead(ref payload, out ReadOnlySpan<byte> message):
                return protector.HandleRekey(message, now) ? CloseCodes.None : CloseCodes.BadRekey;
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
            case FrameType.PathChallenge when PathFrame.TryRead(ref payload, out ReadOnlySpan<byte> question):
                where.Challenged(question);
                return CloseCodes.None;
            case FrameType.PathResponse when PathFrame.TryRead(ref payload, out ReadOnlySpan<byte> answer):
                where.Answered(answer);
                return CloseCodes.None;
            default:
                return CloseCodes.FrameEncoding;
        }
    }

    private ulong HandleAck(in AckFrame ack, TimeSpan now)
    {
        if (!path.Loss.HandleAck(ack, ackDelayMax, now, path.IsWindowUsed, out ulong? confirmed))
        {
            return CloseCodes.BadAck;
        }

        if (confirmed is { } upTo)
        {
            path.Received.Confirmed(upTo);
        }

        return CloseCodes.None;
    }
}
