using System.Buffers.Binary;
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
    public const int HeaderBytes = 14;

    /// <summary>Data of one frame; a longer one breaks the protocol.</summary>
    public const int DataBytesMax = 256 * 1024;

    public static bool TryRead(ReadOnlySpan<byte> header, out OutputFrame frame)
    {
        frame = default;
        if (header.Length < HeaderBytes || header[0] is < (byte)OutputFrameKind.Data or > (byte)OutputFrameKind.Attempt)
        {
            return false;
        }

        long offset = BinaryPrimitives.ReadInt64LittleEndian(header[2..]);
        int length = BinaryPrimitives.ReadInt32LittleEndian(header[10..]);
        if (offset < 0 || length is < 0 or > DataBytesMax || (length > 0 && header[0] != (byte)OutputFrameKind.Data))
        {
            return false;
        }

        frame = new OutputFrame((OutputFrameKind)header[0], header[1], offset, length);
        return true;
    }

    public void Write(Span<byte> header)
    {
        header[0] = (byte)Kind;
        header[1] = Stream;
        BinaryPrimitives.WriteInt64LittleEndian(header[2..], Offset);
        BinaryPrimitives.WriteInt32LittleEndian(header[10..], Length);
    }

    public ValueTask SendAsync(IMeshStream stream, CancellationToken cancellationToken)
    {
        byte[] header = new byte[HeaderBytes];
        Write(header);
        return stream.WriteAsync(header, cancellationToken);
    }

    /// <summary>False at the end of the stream or at bytes that are no frame.</summary>
    public static async ValueTask<OutputFrame?> ReadAsync(IMeshStream stream, byte[] header, CancellationToken cancellationToken) =>
        await stream.TryFillAsync(header.AsMemory(0, HeaderBytes), cancellationToken).ConfigureAwait(false) && TryRead(header, out OutputFrame frame) ? frame : null;
}
