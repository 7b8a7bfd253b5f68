namespace AgentMesh.Remoting;

/// <summary>The codes with which the hub ends streams and connections. Numbers are part of the wire format and are not used again.</summary>
public static class StreamCodes
{
    /// <summary>No handler for the service the header names.</summary>
    public const ulong UnknownService = 1;

    /// <summary>The header was damaged or did not come in time.</summary>
    public const ulong BadHeader = 2;

    /// <summary>Too many streams of this connection are open.</summary>
    public const ulong TooManyStreams = 3;

    /// <summary>The handler of the service failed.</summary>
    public const ulong HandlerFailed = 4;

    /// <summary>The node is shutting down.</summary>
    public const ulong ShuttingDown = 5;

    /// <summary>The bytes on the stream break the rules of its service.</summary>
    public const ulong ProtocolError = 6;

    /// <summary>The user of the stream is done with it.</summary>
    public const ulong Done = 7;
}
