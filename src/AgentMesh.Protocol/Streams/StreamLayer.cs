using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Recovery;

namespace AgentMesh.Protocol.Streams;

/// <summary>All streams of one connection: opening, bytes in both directions, allowances, and what of it waits to be sent.</summary>
internal sealed class StreamLayer
{
    private readonly StreamTable _table;
    private readonly StreamOutbox _outbox;
    private readonly ReceiveShare? _share;
    private readonly Queue<ConnectionEvent> _events;

    /// <param name="share">In what this device receives in a second; null: as much as the windows take.</param>
    public StreamLayer(bool isInitiator, ConnectionSettings settings, TransportParameters remote, ReceiveShare? share, Queue<ConnectionEvent> events)
    {
        _table = new StreamTable(isInitiator, settings, remote, share, events);
        _share = share;
        _outbox = new StreamOutbox(_table);
        _events = events;
    }

    public int Count => _table.Count;

    public IEnumerable<ProtocolStream> All => _table.All;

    /// <summary>Smoothed, for the tuning of windows.</summary>
    public TimeSpan RoundTrip { get; set; }

    /// <summary>Bytes that a stream may hold for its writer.</summary>
    public int SendBuffer { get; set; }

    /// <inheritdoc cref="SendScheduler.Count"/>
    internal int Waiting => _outbox.Waiting;

    public bool HasControl => _outbox.HasControl;

    /// <summary>When to call <see cref="ExtendCredit"/> again.</summary>
    public TimeSpan CreditAt => _share?.NextAt ?? TimeSpan.MaxValue;

    public bool HasData => _outbox.HasData;

    /// <inheritdoc cref="StreamOutbox.HasUrgentData"/>
    public bool HasUrgentData => _outbox.HasUrgentData;

    /// <summary>Allows the other side what windows and the limit of this device let it, the more urgent classes first.</summary>
    public void ExtendCredit(TimeSpan now)
    {
        _share?.BeginRound();
        foreach (ClassState state in _table.Classes)
        {
            state.Extend(now, RoundTrip);
        }
    }

    public bool TryOpen(StreamClass streamClass, out ProtocolStream? stream) => _table.TryOpen(streamClass, out stream);

    /// <returns>Bytes taken; when they are fewer than given, <see cref="ConnectionEventKind.StreamWritable"/> follows.</returns>
    public int Write(ProtocolStream stream, ReadOnlySpan<byte> data)
    {
        int taken = stream.Send.Write(data, SendBuffer);
        stream.IsWriterWaiting = taken < data.Length;
        if (taken > 0)
        {
            _outbox.Schedule(stream);
        }

        return taken;
    }

    public void Finish(ProtocolStream stream)
    {
        if (stream.Send.CanWrite)
        {
            stream.Send.Finish();
            _outbox.Schedule(stream);
        }
    }

    public void Reset(ProtocolStream stream, ulong code)
    {
        if (stream.Send.TryReset(code))
        {
            _outbox.Abandon(stream);
            RaiseWritable(stream);
        }
    }

    /// <summary>Reads nothing more; the other side is asked to stop.</summary>
    public void Stop(ProtocolStream stream, ulong code, TimeSpan now)
    {
        ReceiveHalf receive = stream.Receive;
        if (receive.IsDone || receive.IsStopped)
        {
            return;
        }

        bool ask = receive.WantsMore && receive.ResetCode is null;
        _table[stream.Id.Class].Consume(receive.Stop(), now, RoundTrip);
        if (ask)
        {
            stream.StopCode = code;
            _outbox.Tell(stream, StreamControl.StopSending);
        }

        _table.RemoveWhenDone(stream);
    }

    /// <returns>Bytes read. 0: see <see cref="ReceiveHalf.IsDone"/> and <see cref="ReceiveHalf.ResetCode"/>, else there is nothing yet.</returns>
    public int Read(ProtocolStream stream, Span<byte> destination, TimeSpan now)
    {
        ReceiveHalf receive = stream.Receive;
        int count = receive.Read(destination);
        if (count > 0)
        {
            _table[stream.Id.Class].Consume((ulong)count, now, RoundTrip);
            if (receive.Window.Consume((ulong)count, now, RoundTrip) && receive.WantsMore)
            {
                _outbox.Tell(stream, StreamControl.MaxStreamData);
            }

            return count;
        }

        if (destination.Length > 0 && receive.TryEnd())
        {
            _table.RemoveWhenDone(stream);
        }
        else
        {
            stream.IsReadableRaised = false;
        }

        return 0;
    }

    public ulong HandleStream(in StreamFrame frame, ReadOnlySpan<byte> data, TimeSpan now)
    {
        ulong code = _table.Find(frame.Id, out ProtocolStream? stream);
        if (stream is null)
        {
            return code;
        }

        code = stream.Receive.Handle(frame.Offset, data, frame.Fin, out ulong counted, out ulong dropped);
        return code == CloseCodes.None ? Received(stream, counted, dropped, now) : code;
    }

    public ulong HandleReset(in ResetStreamFrame frame, TimeSpan now)
    {
        ulong code = _table.Find(frame.Id, out ProtocolStream? stream);
        if (stream is null)
        {
            return code;
        }

        code = stream.Receive.HandleReset(frame.Code, frame.FinalSize, out ulong counted, out ulong dropped);
        return code == CloseCodes.None ? Received(stream, counted, dropped, now) : code;
    }

    public ulong HandleStopSending(in StopSendingFrame frame)
    {
        ulong code = _table.Find(frame.Id, out ProtocolStream? stream);
        if (stream is not null)
        {
            Reset(stream, frame.Code);
        }

        return code;
    }

    public ulong HandleMaxStreamData(in MaxStreamDataFrame frame)
    {
        ulong code = _table.Find(frame.Id, out ProtocolStream? stream);
        if (stream is not null && stream.Send.RaiseLimit(frame.Limit))
        {
            _outbox.Schedule(stream);
        }

        return code;
    }

    public void HandleMaxData(in MaxDataFrame frame)
    {
        if (_table[frame.Class].RaiseSendLimit(frame.Limit))
        {
            _outbox.Unblock(frame.Class);
        }
    }

    public void HandleMaxStreams(in MaxStreamsFrame frame)
    {
        if (_table[frame.Class].RaiseLocalLimit(frame.Limit))
        {
            _events.Enqueue(new ConnectionEvent(ConnectionEventKind.StreamsAvailable, Class: frame.Class));
        }
    }

    public void Acked(in SentFrame frame)
    {
        ProtocolStream? stream = frame.Stream;
        switch (frame.Kind)
        {
            case SentFrameKind.Stream:
                stream!.Send.Acked(frame.Offset, frame.Length, frame.Fin);
                if (stream.IsWriterWaiting && stream.Send.Held <= (ulong)SendBuffer / 2)
                {
                    RaiseWritable(stream);
                }

                _table.RemoveWhenDone(stream);
                break;
            case SentFrameKind.ResetStream:
                stream!.Send.ResetAcked();
                _table.RemoveWhenDone(stream);
                break;
        }
    }

    public void Lost(in SentFrame frame) => _outbox.Lost(frame);

    /// <summary>Writes what has to be said besides bytes, as much as fits.</summary>
    public void WriteControl(ref PacketWriter writer) => _outbox.WriteControl(ref writer);

    /// <summary>Fills the packet with bytes of streams.</summary>
    public void WriteData(ref PacketWriter writer) => _outbox.WriteData(ref writer);

    /// <summary>Fills the packet with bytes of control streams alone.</summary>
    public void WriteUrgentData(ref PacketWriter writer) => _outbox.WriteUrgentData(ref writer);

    /// <summary>The connection is at its end: gives all memory back.</summary>
    public void Release() => _table.Release();

    private ulong Received(ProtocolStream stream, ulong counted, ulong dropped, TimeSpan now)
    {
        ClassState state = _table[stream.Id.Class];
        if (!state.CountReceived(counted))
        {
            return CloseCodes.FlowControl;
        }

        state.Consume(dropped, now, RoundTrip);
        if (counted > 0 && stream.Receive.TryGrowWindow())
        {
            state.Grow(2 * stream.Receive.Window.Size, now, RoundTrip);
            _outbox.Tell(stream, StreamControl.MaxStreamData);
        }

        if (!stream.IsReadableRaised && stream.Receive.IsReadable)
        {
            stream.IsReadableRaised = true;
            _events.Enqueue(new ConnectionEvent(ConnectionEventKind.StreamReadable, stream));
        }

        _table.RemoveWhenDone(stream);
        return CloseCodes.None;
    }

    private void RaiseWritable(ProtocolStream stream)
    {
        stream.IsWriterWaiting = false;
        if (!stream.IsWritableRaised)
        {
            stream.IsWritableRaised = true;
            _events.Enqueue(new ConnectionEvent(ConnectionEventKind.StreamWritable, stream));
        }
    }
}
