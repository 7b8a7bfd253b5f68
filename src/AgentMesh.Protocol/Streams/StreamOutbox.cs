using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Recovery;

namespace AgentMesh.Protocol.Streams;

/// <summary>What the streams of a connection wait to send: bytes by turns, and everything else before them.</summary>
internal sealed class StreamOutbox(StreamTable streams)
{
    private readonly SendScheduler _scheduler = new();
    private readonly Queue<ProtocolStream> _control = new();

    /// <inheritdoc cref="SendScheduler.Count"/>
    public int Waiting => _scheduler.Count;

    public bool HasControl => _control.Count > 0 || streams[StreamClass.Control].HasPending || streams[StreamClass.Ordinary].HasPending || streams[StreamClass.Bulk].HasPending;

    public bool HasData => _scheduler.HasReady(StreamClass.Control) || _scheduler.HasReady(StreamClass.Ordinary) || _scheduler.HasReady(StreamClass.Bulk);

    /// <summary>Of <see cref="HasData"/>, what may not wait for anything.</summary>
    public bool HasUrgentData => _scheduler.HasReady(StreamClass.Control);

    /// <summary>The stream may have bytes to send.</summary>
    public void Schedule(ProtocolStream stream)
    {
        if (stream.Send.HasNewData || stream.Send.HasFreeWork)
        {
            _scheduler.Enqueue(stream);
        }
    }

    /// <summary>The stream has something else to tell.</summary>
    public void Tell(ProtocolStream stream, StreamControl control)
    {
        stream.Pending |= control;
        if (!stream.IsInControlQueue)
        {
            stream.IsInControlQueue = true;
            _control.Enqueue(stream);
        }
    }

    /// <summary>The stream was reset: it has no bytes to send any more.</summary>
    public void Abandon(ProtocolStream stream)
    {
        Tell(stream, StreamControl.Reset);
        if (stream.IsInSendQueue)
        {
            _scheduler.Unblock(stream.Id.Class); // it may be parked, and its turn lets go of it
        }
    }

    /// <summary>The class has more allowance.</summary>
    public void Unblock(StreamClass streamClass) => _scheduler.Unblock(streamClass);

    /// <summary>A packet with this frame was lost: what still matters of it is said again.</summary>
    public void Lost(in SentFrame frame)
    {
        ProtocolStream? stream = frame.Stream;
        switch (frame.Kind)
        {
            case SentFrameKind.Stream:
                stream!.Send.Lost(frame.Offset, frame.Length, frame.Fin);
                if (stream.Send.HasFreeWork)
                {
                    _scheduler.Unblock(stream.Id.Class); // it may be parked, and what was lost needs no allowance
                    _scheduler.Enqueue(stream);
                }

                break;
            case SentFrameKind.ResetStream when !stream!.Send.IsDone:
                Tell(stream, StreamControl.Reset);
                break;
            case SentFrameKind.StopSending when stream!.Receive.IsStopped && !stream.Receive.IsDone:
                Tell(stream, StreamControl.StopSending);
                break;
            case SentFrameKind.MaxStreamData when stream!.Receive.WantsMore:
                Tell(stream, StreamControl.MaxStreamData);
                break;
            case SentFrameKind.MaxData:
                streams[frame.Class].IsMaxDataPending = true;
                break;
            case SentFrameKind.MaxStreams:
                streams[frame.Class].IsMaxStreamsPending = true;
                break;
        }
    }

    /// <summary>Writes what has to be said besides bytes, as much as fits.</summary>
    public void WriteControl(ref PacketWriter writer)
    {
        foreach (ClassState state in streams.Classes)
        {
            writer.WriteClassLimits(state);
        }

        while (_control.TryPeek(out ProtocolStream? stream) && writer.TryWriteControl(stream))
        {
            _control.Dequeue();
            stream.IsInControlQueue = false;
        }
    }

    /// <summary>Fills the packet with bytes of streams.</summary>
    public void WriteData(ref PacketWriter writer)
    {
        StreamClass? served = _scheduler.FirstClass();
        if (served is not { } first)
        {
            return;
        }

        bool hasMore = WriteData(ref writer, first);
        for (int c = 0; c < StreamId.Classes && hasMore; c++)
        {
            hasMore = (int)first == c || WriteData(ref writer, (StreamClass)c);
        }

        _scheduler.CountPacket(first);
    }

    /// <summary>As <see cref="WriteData(ref PacketWriter)"/>, of control streams alone.</summary>
    public void WriteUrgentData(ref PacketWriter writer)
    {
        if (HasUrgentData)
        {
            WriteData(ref writer, StreamClass.Control);
        }
    }

    private bool WriteData(ref PacketWriter writer, StreamClass streamClass)
    {
        ClassState state = streams[streamClass];
        while (_scheduler.Take(streamClass) is { } stream)
        {
            bool wrote = writer.TryWriteStream(stream, state.Credit, out int newBytes);
            state.CountSent(newBytes);
            SendHalf send = stream.Send;
            bool hasFreeWork = send.HasFreeWork;
            if (hasFreeWork || (send.HasNewData && state.Credit > 0))
            {
                _scheduler.Enqueue(stream);
                if (!wrote || !writer.HasRoomForData)
                {
                    return false;
                }
            }
            else if (send.HasNewData)
            {
                _scheduler.Block(stream);
            }
        }

        return writer.HasRoomForData;
    }
}
