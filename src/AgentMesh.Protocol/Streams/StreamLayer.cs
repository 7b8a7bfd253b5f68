using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Frames;
using AgentMesh.Protocol.Recovery;

namespace AgentMesh.Protocol.Streams;

/// <summary>All streams of one connection: opening, bytes in both directions, allowances, and what of it waits to be sent.</summary>
internal sealed class StreamLayer
{
    private readonly Dictionary<ulong, ProtocolStream> _streams = [];
    private readonly ClassState[] _classes;
    private readonly SendScheduler _scheduler = new();
    private readonly Queue<ProtocolStream> _control = new();
    private readonly Queue<ConnectionEvent> _events;
    private readonly ConnectionSettings _settings;
    private readonly TransportParameters _remote;
    private readonly bool _isInitiator;

    public StreamLayer(bool isInitiator, ConnectionSettings settings, TransportParameters remote, Queue<ConnectionEvent> events)
    {
        _isInitiator = isInitiator;
        _settings = settings;
        _remote = remote;
        _events = events;
        _classes = [.. Enum.GetValues<StreamClass>().Select(c => new ClassState(c, settings, remote))];
    }

    public int Count => _streams.Count;

    public IEnumerable<ProtocolStream> All => _streams.Values;

    /// <summary>Smoothed, for the tuning of windows.</summary>
    public TimeSpan RoundTrip { get; set; }

    /// <summary>Bytes that a stream may hold for its writer.</summary>
    public int SendBuffer { get; set; }

    public bool HasControl => _control.Count > 0 || Array.Exists(_classes, c => c.HasPending);

    public bool HasData => Array.Exists(_classes, c => _scheduler.HasReady(c.Class));

    public bool TryOpen(StreamClass streamClass, out ProtocolStream? stream)
    {
        ClassState state = _classes[(int)streamClass];
        if (state.LocalOpened >= state.LocalLimit)
        {
            stream = null;
            return false;
        }

        stream = Create(new StreamId(state.LocalOpened++, streamClass, _isInitiator), isLocal: true);
        return true;
    }

    /// <returns>Bytes taken; when they are fewer than given, <see cref="ConnectionEventKind.StreamWritable"/> follows.</returns>
    public int Write(ProtocolStream stream, ReadOnlySpan<byte> data)
    {
        int taken = stream.Send.Write(data, SendBuffer);
        stream.IsWriterWaiting = taken < data.Length;
        if (taken > 0)
        {
            Schedule(stream);
        }

        return taken;
    }

    public void Finish(ProtocolStream stream)
    {
        if (stream.Send.CanWrite)
        {
            stream.Send.Finish();
            Schedule(stream);
        }
    }

    public void Reset(ProtocolStream stream, ulong code)
    {
        if (stream.Send.TryReset(code))
        {
            Queue(stream, StreamControl.Reset);
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
        ClassOf(stream).Consume(receive.Stop(), now, RoundTrip);
        if (ask)
        {
            stream.StopCode = code;
            Queue(stream, StreamControl.StopSending);
        }

        RemoveWhenDone(stream);
    }

    /// <returns>Bytes read. 0: see <see cref="ReceiveHalf.IsDone"/> and <see cref="ReceiveHalf.ResetCode"/>, else there is nothing yet.</returns>
    public int Read(ProtocolStream stream, Span<byte> destination, TimeSpan now)
    {
        ReceiveHalf receive = stream.Receive;
        int count = receive.Read(destination);
        if (count > 0)
        {
            ClassOf(stream).Consume((ulong)count, now, RoundTrip);
            if (receive.Window.Consume((ulong)count, now, RoundTrip) && receive.WantsMore)
            {
                Queue(stream, StreamControl.MaxStreamData);
            }

            return count;
        }

        if (destination.Length > 0 && receive.TryEnd())
        {
            RemoveWhenDone(stream);
        }
        else
        {
            stream.IsReadableRaised = false;
        }

        return 0;
    }

    public ulong HandleStream(in StreamFrame frame, ReadOnlySpan<byte> data, TimeSpan now)
    {
        ulong code = Find(frame.Id, out ProtocolStream? stream);
        if (stream is null)
        {
            return code;
        }

        code = stream.Receive.Handle(frame.Offset, data, frame.Fin, out ulong counted, out ulong dropped);
        return code == CloseCodes.None ? Received(stream, counted, dropped, now) : code;
    }

    public ulong HandleReset(in ResetStreamFrame frame, TimeSpan now)
    {
        ulong code = Find(frame.Id, out ProtocolStream? stream);
        if (stream is null)
        {
            return code;
        }

        code = stream.Receive.HandleReset(frame.Code, frame.FinalSize, out ulong counted, out ulong dropped);
        return code == CloseCodes.None ? Received(stream, counted, dropped, now) : code;
    }

    public ulong HandleStopSending(in StopSendingFrame frame)
    {
        ulong code = Find(frame.Id, out ProtocolStream? stream);
        if (stream is not null)
        {
            Reset(stream, frame.Code);
        }

        return code;
    }

    public ulong HandleMaxStreamData(in MaxStreamDataFrame frame)
    {
        ulong code = Find(frame.Id, out ProtocolStream? stream);
        if (stream is not null && stream.Send.RaiseLimit(frame.Limit))
        {
            Schedule(stream);
        }

        return code;
    }

    public void HandleMaxData(in MaxDataFrame frame)
    {
        if (_classes[(int)frame.Class].RaiseSendLimit(frame.Limit))
        {
            _scheduler.Unblock(frame.Class);
        }
    }

    public void HandleMaxStreams(in MaxStreamsFrame frame)
    {
        if (_classes[(int)frame.Class].RaiseLocalLimit(frame.Limit))
        {
            _events.Enqueue(new ConnectionEvent(ConnectionEventKind.StreamsAvailable, Class: frame.Class));
        }
    }

    /// <summary>Writes what has to be said besides bytes, as much as fits.</summary>
    public void WriteControl(ref PacketWriter writer)
    {
        foreach (ClassState state in _classes)
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

                RemoveWhenDone(stream);
                break;
            case SentFrameKind.ResetStream:
                stream!.Send.ResetAcked();
                RemoveWhenDone(stream);
                break;
        }
    }

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
                Queue(stream, StreamControl.Reset);
                break;
            case SentFrameKind.StopSending when stream!.Receive.IsStopped && !stream.Receive.IsDone:
                Queue(stream, StreamControl.StopSending);
                break;
            case SentFrameKind.MaxStreamData when stream!.Receive.WantsMore:
                Queue(stream, StreamControl.MaxStreamData);
                break;
            case SentFrameKind.MaxData:
                _classes[(int)frame.Class].IsMaxDataPending = true;
                break;
            case SentFrameKind.MaxStreams:
                _classes[(int)frame.Class].IsMaxStreamsPending = true;
                break;
        }
    }

    /// <summary>The connection is at its end: gives all memory back.</summary>
    public void Release()
    {
        foreach (ProtocolStream stream in _streams.Values)
        {
            stream.Send.Release();
            stream.Receive.Release();
        }
    }

    private ClassState ClassOf(ProtocolStream stream) => _classes[(int)stream.Id.Class];

    private ProtocolStream Create(StreamId id, bool isLocal)
    {
        var stream = new ProtocolStream(
            id, isLocal, new SendHalf(_remote.StreamWindow), new ReceiveHalf((ulong)_settings.StreamWindow, (ulong)_settings.StreamWindowMax));
        _streams.Add(id.Value, stream);
        return stream;
    }

    /// <summary>The stream that a frame is about, opened by it where the other side may; null without an error where it ended already.</summary>
    private ulong Find(StreamId id, out ProtocolStream? stream)
    {
        if (_streams.TryGetValue(id.Value, out stream))
        {
            return CloseCodes.None;
        }

        ClassState state = _classes[(int)id.Class];
        if (id.OpenedByInitiator == _isInitiator)
        {
            return id.Sequence < state.LocalOpened ? CloseCodes.None : CloseCodes.StreamLimit;
        }

        if (id.Sequence < state.RemoteOpened)
        {
            return CloseCodes.None;
        }

        if (id.Sequence >= state.RemoteLimit)
        {
            return CloseCodes.StreamLimit;
        }

        while (state.RemoteOpened <= id.Sequence)
        {
            stream = Create(new StreamId(state.RemoteOpened++, id.Class, !_isInitiator), isLocal: false);
            _events.Enqueue(new ConnectionEvent(ConnectionEventKind.StreamOpened, stream));
        }

        return CloseCodes.None;
    }

    private ulong Received(ProtocolStream stream, ulong counted, ulong dropped, TimeSpan now)
    {
        ClassState state = ClassOf(stream);
        if (!state.CountReceived(counted))
        {
            return CloseCodes.FlowControl;
        }

        state.Consume(dropped, now, RoundTrip);
        if (!stream.IsReadableRaised && stream.Receive.IsReadable)
        {
            stream.IsReadableRaised = true;
            _events.Enqueue(new ConnectionEvent(ConnectionEventKind.StreamReadable, stream));
        }

        RemoveWhenDone(stream);
        return CloseCodes.None;
    }

    private bool WriteData(ref PacketWriter writer, StreamClass streamClass)
    {
        ClassState state = _classes[(int)streamClass];
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

    private void Schedule(ProtocolStream stream)
    {
        if (stream.Send.HasNewData || stream.Send.HasFreeWork)
        {
            _scheduler.Enqueue(stream);
        }
    }

    private void Queue(ProtocolStream stream, StreamControl control)
    {
        stream.Pending |= control;
        if (!stream.IsInControlQueue)
        {
            stream.IsInControlQueue = true;
            _control.Enqueue(stream);
        }
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

    private void RemoveWhenDone(ProtocolStream stream)
    {
        if (stream.IsDone && _streams.Remove(stream.Id.Value))
        {
            stream.Send.Release();
            stream.Receive.Release();
            if (!stream.IsLocal)
            {
                ClassOf(stream).RemoteStreamDone();
            }
        }
    }
}
