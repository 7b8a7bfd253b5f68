namespace AgentMesh.Node.Administration;

/// <summary>
/// The service <c>control</c>: the control API of a device for another one. The device that was asked says in one byte whether it serves the stream; from then on the stream carries HTTP/1.1 as the control
/// socket does. Nothing that the asking device sends is read before.
/// </summary>
internal static class ControlStream
{
    public const string Service = "control";

    /// <summary>Open streams of one device.</summary>
    public const int StreamsMax = 8;

    /// <summary>With this code a stream is reset whose device may do less than when it was opened.</summary>
    public const ulong GrantEnded = 101;
}

/// <summary>The first byte that comes back. Numbers are part of the wire format.</summary>
internal enum ControlAnswer : byte
{
    Serves = 0,
    NotGranted = 1,
    TooManyStreams = 2,
}
