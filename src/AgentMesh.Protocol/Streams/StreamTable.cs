using AgentMesh.Protocol.Connections;

namespace AgentMesh.Protocol.Streams;

/// <summary>The streams of one connection that have not ended, the allowances of their classes, and who may open how many.</summary>
internal sealed class StreamTable(bool isInitiator, ConnectionSettings settings, TransportParameters remote, ReceiveShare? share, Queue<ConnectionEvent> events)
{
    private readonly Dictionary<ulong, ProtocolStream> _streams = [];
    private readonly ClassState[] _classes = [.. Enum.GetValues<StreamClass>().Select(c => new ClassState(c, settings, remote, share))];

    public int Count => _streams.Count;

    public IEnumerable<ProtocolStream> All => _streams.Values;

    public ReadOnlySpan<ClassState> Classes => _classes;

    public ClassState this[StreamClass streamClass] => _classes[(int)streamClass];

    public bool TryOpen(StreamClass streamClass, out ProtocolStream? stream)
    {
        ClassState state = this[streamClass];
        if (state.LocalOpened >= state.LocalLimit)
        {
            stream = null;
            return false;
        }

        stream = Create(new StreamId(state.LocalOpened++, streamClass, isInitiator), isLocal: true);
        return true;
    }

    /// <summary>The stream that a frame is about, opened by it where the other side may; null without an error where it ended already.</summary>
    public ulong Find(StreamId id, out ProtocolStream? stream)
    {
        if (_streams.TryGetValue(id.Value, out stream))
        {
            return CloseCodes.None;
        }

        ClassState state = this[id.Class];
        if (id.OpenedByInitiator == isInitiator)
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
            stream = Create(new StreamId(state.RemoteOpened++, id.Class, !isInitiator), isLocal: false);
            events.Enqueue(new ConnectionEvent(ConnectionEventKind.StreamOpened, stream));
        }

        return CloseCodes.None;
    }

    /// <summary>Forgets a stream whose both directions ended.</summary>
    public void RemoveWhenDone(ProtocolStream stream)
    {
        if (stream.IsDone && _streams.Remove(stream.Id.Value))
        {
            stream.Send.Release();
            stream.Receive.Release();
            if (!stream.IsLocal)
            {
                this[stream.Id.Class].RemoteStreamDone();
            }
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

    private ProtocolStream Create(StreamId id, bool isLocal)
    {
        var stream = new ProtocolStream(
            id, isLocal, new SendHalf(remote.StreamWindow), new ReceiveHalf((ulong)settings.StreamWindow, (ulong)settings.StreamWindowMax));
        _streams.Add(id.Value, stream);
        return stream;
    }
}
