using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Connections;

internal enum ConnectionEventKind : byte
{
    /// <summary>The other side opened <see cref="ConnectionEvent.Stream"/>.</summary>
    StreamOpened,

    /// <summary>Bytes, the end or a reset can be read. Raised once until a read finds nothing.</summary>
    StreamReadable,

    /// <summary>A write that found no room may find some now, or the sending direction was stopped.</summary>
    StreamWritable,

    /// <summary>More streams of <see cref="ConnectionEvent.Class"/> may be opened.</summary>
    StreamsAvailable,

    /// <summary>Packets go to another address now: <see cref="Connection.Remote"/>.</summary>
    Moved,

    /// <summary>A question of <see cref="Connection.Measure"/> was answered.</summary>
    Measured,

    /// <summary>The port of the NAT before this device ends soon: <see cref="Connection.TakeSocket"/> should be called with another socket.</summary>
    SocketWanted,

    /// <summary>The last event: <see cref="Connection.End"/> says why.</summary>
    Closed,
}

internal readonly record struct ConnectionEvent(ConnectionEventKind Kind, ProtocolStream? Stream = null, StreamClass Class = default);
