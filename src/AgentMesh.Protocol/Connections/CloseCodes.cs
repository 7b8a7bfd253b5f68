namespace AgentMesh.Protocol.Connections;

/// <summary>
/// Why a connection ended. Codes below 2^32 belong to applications, 0 being a clean goodbye; those from 2^32 on to the protocol. The last group is
/// never on the wire: it says what this side saw. Numbers are never used again for something else (<c>Local + 2</c> was one).
/// </summary>
public static class CloseCodes
{
    public const ulong None = 0;

    /// <summary>The greatest code that an application may close or reset with.</summary>
    public const ulong ApplicationMax = (1UL << 32) - 1;

    private const ulong Protocol = 1UL << 32;

    /// <summary>A frame that cannot be read, or of an unknown type.</summary>
    public const ulong FrameEncoding = Protocol + 1;

    /// <summary>More bytes than allowed.</summary>
    public const ulong FlowControl = Protocol + 2;

    /// <summary>More streams than allowed.</summary>
    public const ulong StreamLimit = Protocol + 3;

    /// <summary>A stream that changed its length, or a frame for a stream that cannot be.</summary>
    public const ulong FinalSize = Protocol + 4;

    /// <summary>An acknowledgement of what was never sent.</summary>
    public const ulong BadAck = Protocol + 5;

    /// <summary>A rekey message that no correct device sends.</summary>
    public const ulong BadRekey = Protocol + 6;

    /// <summary>A stream in more pieces than memory is kept for.</summary>
    public const ulong TooManyGaps = Protocol + 7;

    private const ulong Local = (1UL << 32) + (1UL << 16);

    /// <summary>The other side did not answer.</summary>
    public const ulong TimedOut = Local + 1;

    /// <summary>The keys could not be renewed in time.</summary>
    public const ulong KeysExpired = Local + 3;

    /// <summary>A newer session with the same device took its place.</summary>
    public const ulong Replaced = Local + 4;

    /// <summary>This device's endpoint was stopped.</summary>
    public const ulong EndpointStopped = Local + 5;

    /// <summary>The other side was restarted and has forgotten the connection.</summary>
    public const ulong Forgotten = Local + 6;
}
