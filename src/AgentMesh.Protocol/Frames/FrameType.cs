namespace AgentMesh.Protocol.Frames;

/// <summary>The first byte of a frame. The one place where these numbers are given out; a number that is no longer used stays reserved.</summary>
internal enum FrameType : byte
{
    Padding = 0x00,
    Ping = 0x01,
    Ack = 0x02,
    Rekey = 0x03,
    ResetStream = 0x04,
    StopSending = 0x05,
    MaxData = 0x08,
    MaxStreamData = 0x09,
    MaxStreams = 0x0a,
    PathChallenge = 0x0b,
    PathResponse = 0x0c,
    Close = 0x10,

    /// <summary>0x20 to 0x23: bit 0 ends the stream, bit 1 says that a length follows; without it the data go to the end of the packet.</summary>
    Stream = 0x20,

    /// <summary>Only to those that take it: see <see cref="Connections.TransportParameters.Takes"/>.</summary>
    ObservedAddress = 0x30,

    /// <summary>Only to those that take it: see <see cref="Connections.TransportParameters.Takes"/>.</summary>
    EcnCounts = 0x31,

    /// <summary>Only to those that take it: see <see cref="Connections.TransportParameters.Takes"/>.</summary>
    AckFrequency = 0x32,
}
