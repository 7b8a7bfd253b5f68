using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Recovery;

internal enum SentFrameKind : byte
{
    Stream,
    MaxStreamData,
    ResetStream,
    StopSending,
    MaxData,
    MaxStreams,
    Rekey,
    ObservedAddress,
}

/// <summary>What has to be said again when the packet is lost. Frames that are not repeated (PING, ACK, CLOSE) are not remembered.</summary>
/// <param name="Offset">Of a rekey message or an observed address: its number.</param>
internal readonly record struct SentFrame(SentFrameKind Kind, ProtocolStream? Stream, ulong Offset = 0, int Length = 0, bool Fin = false, StreamClass Class = default);
