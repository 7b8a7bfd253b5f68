namespace AgentMesh.Protocol.Streams;

/// <summary>What a stream has to tell besides its bytes.</summary>
[Flags]
internal enum StreamControl : byte
{
    None = 0,
    MaxStreamData = 1,
    Reset = 2,
    StopSending = 4,
}

/// <summary>One bidirectional stream. Everything about it goes through its <see cref="StreamLayer"/>.</summary>
internal sealed class ProtocolStream(StreamId id, bool isLocal, SendHalf send, ReceiveHalf receive)
{
    public StreamId Id { get; } = id;

    /// <summary>Opened by this side.</summary>
    public bool IsLocal { get; } = isLocal;

    public SendHalf Send { get; } = send;

    public ReceiveHalf Receive { get; } = receive;

    /// <summary>Whoever uses the stream puts its own object here, so that events need no look-up.</summary>
    public object? Owner { get; set; }

    /// <summary>Asked to stop by the other side, with this code.</summary>
    public ulong StopCode { get; set; }

    public StreamControl Pending { get; set; }

    public bool IsInControlQueue { get; set; }

    public bool IsInSendQueue { get; set; }

    /// <summary>The readable event is raised and not taken.</summary>
    public bool IsReadableRaised { get; set; }

    public bool IsWritableRaised { get; set; }

    /// <summary>A write found no room; the next acknowledgement is news.</summary>
    public bool IsWriterWaiting { get; set; }

    public bool IsDone => Send.IsDone && Receive.IsDone;
}
