using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Recovery;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Connections;

/// <summary>Writes frames into the payload of one packet and notes in <see cref="SentPacket"/> what to say again if it is lost.</summary>
internal ref struct PacketWriter(Span<byte> payload, SentPacket packet)
{
    // A frame with less data than this is not worth its header at the end of a packet.
    private const int DataMin = 16;

    // What may be left over where a frame of data does not fit any more.
    private const int PaddingMax = 64;

    private readonly Span<byte> _payload = payload;

    public int Length { get; private set; }

    public readonly bool HasRoomForData => Room >= DataMin + 1 + (3 * VarInt.SizeMax);

    private readonly int Room => _payload.Length - Length;

    private readonly Span<byte> Rest => _payload[Length..];

    public void WriteAck(ReceivedPackets received, TimeSpan now)
    {
        int written = received.Write(Rest, now, out ulong upTo);
        if (written > 0)
        {
            Length += written;
            packet.AckedUpTo = upTo;
        }
    }

    /// <summary>Fills the packet with PADDING where little room is left, so that it is as long as the others that are sent with it.</summary>
    public void FillUp()
    {
        if (Room is > 0 and <= PaddingMax)
        {
            Rest.Clear();
            Length = _payload.Length;
        }
    }

    /// <summary>Fills the payload with PADDING up to this length, if it has so much room.</summary>
    public void FillUpTo(int length)
    {
        int end = Math.Min(length, _payload.Length);
        if (end > Length)
        {
            _payload[Length..end].Clear();
            Length = end;
        }
    }

    /// <summary>True when it fits, which is always so in an empty packet.</summary>
    public bool TryWritePing()
    {
        if (Room < 1)
        {
            return false;
        }

        _payload[Length++] = (byte)FrameType.Ping;
        packet.IsAckEliciting = true;
        return true;
    }

    public bool TryWriteRekey(ReadOnlySpan<byte> message, ulong number)
    {
        if (Room < RekeyFrame.Size)
        {
            return false;
        }

        Length += RekeyFrame.Write(Rest, message);
        packet.Add(new SentFrame(SentFrameKind.Rekey, null, number));
        return true;
    }

    public bool TryWriteObserved(in ObservedAddressFrame frame)
    {
        if (Room < frame.Size)
        {
            return false;
        }

        Length += frame.Write(Rest);
        packet.Add(new SentFrame(SentFrameKind.ObservedAddress, null, frame.Sequence));
        return true;
    }

    public bool TryWriteAckFrequency(in AckFrequencyFrame frame)
    {
        if (Room < frame.Size)
        {
            return false;
        }

        Length += frame.Write(Rest);
        return true;
    }

    /// <summary>Not counted as in flight: whether it arrives is seen by its answer.</summary>
    public bool TryWritePath(FrameType type, ReadOnlySpan<byte> data)
    {
        if (Room < PathFrame.Size)
        {
            return false;
        }

        Length += PathFrame.Write(Rest, type, data);
        return true;
    }

    public void WriteClassLimits(ClassState state)
    {
        var data = new MaxDataFrame(state.Class, state.Allowed);
        if (state.IsMaxDataPending && Room >= data.Size)
        {
            state.IsMaxDataPending = false;
            Length += data.Write(Rest);
            packet.Add(new SentFrame(SentFrameKind.MaxData, null, Class: state.Class));
        }

        var streams = new MaxStreamsFrame(state.Class, state.RemoteLimit);
        if (state.IsMaxStreamsPending && Room >= streams.Size)
        {
            state.IsMaxStreamsPending = false;
            Length += streams.Write(Rest);
            packet.Add(new SentFrame(SentFrameKind.MaxStreams, null, Class: state.Class));
        }
    }

    /// <summary>True when everything that <paramref name="stream"/> has to tell was written.</summary>
    public bool TryWriteControl(ProtocolStream stream)
    {
        if ((stream.Pending & StreamControl.Reset) != 0)
        {
            var frame = new ResetStreamFrame(stream.Id, stream.Send.ResetCode ?? 0, stream.Send.FinalSize);
            if (Room < frame.Size)
            {
                return false;
            }

            Length += frame.Write(Rest);
            Note(stream, StreamControl.Reset, SentFrameKind.ResetStream);
        }

        if ((stream.Pending & StreamControl.StopSending) != 0)
        {
            var frame = new StopSendingFrame(stream.Id, stream.StopCode);
            if (Room < frame.Size)
            {
                return false;
            }

            Length += frame.Write(Rest);
            Note(stream, StreamControl.StopSending, SentFrameKind.StopSending);
        }

        if ((stream.Pending & StreamControl.MaxStreamData) != 0)
        {
            var frame = new MaxStreamDataFrame(stream.Id, stream.Receive.Window.Limit);
            if (Room < frame.Size)
            {
                return false;
            }

            Length += frame.Write(Rest);
            Note(stream, StreamControl.MaxStreamData, SentFrameKind.MaxStreamData);
        }

        return true;
    }

    /// <summary>One STREAM frame, if the stream has something to send and it fits.</summary>
    public bool TryWriteStream(ProtocolStream stream, ulong credit, out int newBytes)
    {
        newBytes = 0;

        // Exactly what the header takes where the frame fills the packet, so that packets of a long stream are all equally long.
        int header = 1 + VarInt.Size(stream.Id.Value) + VarInt.Size(stream.Send.NextOffset);
        int room = Room - header - VarInt.Size((ulong)Math.Max(0, Room - header));
        if (room < 1 || !stream.Send.TryTake(room, credit, out StreamChunk chunk))
        {
            return false;
        }

        newBytes = chunk.NewBytes;
        Length += new StreamFrame(stream.Id, chunk.Offset, chunk.Length, chunk.Fin).Write(Rest);
        stream.Send.CopyTo(chunk.Offset, _payload.Slice(Length, chunk.Length));
        Length += chunk.Length;
        packet.Add(new SentFrame(SentFrameKind.Stream, stream, chunk.Offset, chunk.Length, chunk.Fin));
        return true;
    }

    private readonly void Note(ProtocolStream stream, StreamControl control, SentFrameKind kind)
    {
        stream.Pending &= ~control;
        packet.Add(new SentFrame(kind, stream));
    }
}
