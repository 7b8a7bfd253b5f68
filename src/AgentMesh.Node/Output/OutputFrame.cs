using AgentMesh.Transport;

namespace AgentMesh.Node.Output;

internal enum OutputFrameKind : byte
{
    /// <summary>Executing device to home, home to reader: bytes of a stream at an offset.</summary>
    Data = 1,

    /// <summary>The final length of a stream stands in the offset.</summary>
    End = 2,

    /// <summary>Home to executing device: everything before the offset is on disk.</summary>
    Acknowledge = 3,

    /// <summary>Home to executing device: not wanted (an older attempt, an unknown job); the offset is an <see cref="OutputRefusal"/>.</summary>
    Refuse = 4,

    /// <summary>Home to reader: what follows is of the attempt that stands in the offset.</summary>
    Attempt = 5,
}

internal enum OutputRefusal : byte
{
    UnknownJob = 1,
    OlderAttempt = 2,
    NotYours = 3,

    /// <summary>Not now: the sender tries again.</summary>
    StoreFailed = 4,

    /// <summary>The store is full. The sender tries again, but the end of the attempt does not wait for it.</summary>
    NoRoom = 5,

    /// <summary>It will never be taken: the job has too much output already, or what is stored of it is damaged.</summary>
    Unstorable = 6,
}

/// <summary>
/// Frames of the services <c>output-append</c> and <c>output-read</c>: 1 byte kind, 1 byte stream, 8 bytes offset, 4 bytes length (little-endian),
/// then the data. Documented in <c>docs/protocol/output-v1.md</c>.
/// </summary>
internal readonly record struct OutputFrame(OutputFrameKind Kind, byte Stream, long Offset, int Length)
{
    public const int HeaderBytes = FrameHeader.Bytes;

    /// <summary>Data of one frame; a longer one breaks the protocol.</summary>
    public const int DataBytesMax = 256 * 1024;

    private FrameHeader Header => new((byte)Kind, Stream, Offset, Length);

    public static bool TryRead(ReadOnlySpan<byte> header, out OutputFrame frame)
    {
        bool isFrame = FrameHeader.TryRead(header, (byte)OutputFrameKind.Attempt, DataBytesMax, out FrameHeader read);
        frame = new OutputFrame((OutputFrameKind)read.Kind, read.Stream, read.Offset, read.Length);
        return isFrame;
    }

    public void Write(Span<byte> header) => Header.Write(header);

    public ValueTask SendAsync(IMeshStream stream, CancellationToken cancellationToken) => Header.SendAsync(stream, cancellationToken);

    /// <summary>Null at the end of the stream or at bytes that are no frame.</summary>
    public static async ValueTask<OutputFrame?> ReadAsync(IMeshStream stream, byte[] header, CancellationToken cancellationToken) =>
        await stream.TryFillAsync(header.AsMemory(0, HeaderBytes), cancellationToken).ConfigureAwait(false) && TryRead(header, out OutputFrame frame) ? frame : null;
}
