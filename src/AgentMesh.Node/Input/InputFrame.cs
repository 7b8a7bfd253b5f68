using AgentMesh.Node.Output;
using AgentMesh.Transport;

namespace AgentMesh.Node.Input;

internal enum InputFrameKind : byte
{
    /// <summary>Sender to device: input from the offset on.</summary>
    Data = 1,

    /// <summary>Sender to device: there is no more after the offset.</summary>
    End = 2,

    /// <summary>Sender to device: the size of the terminal; the offset is columns * 65,536 + rows.</summary>
    Resize = 3,

    /// <summary>Device to sender, first: the program runs, and has what is before the offset.</summary>
    Accept = 4,

    /// <summary>Device to sender: the program has taken what is before the offset.</summary>
    Acknowledge = 5,

    /// <summary>Device to sender, last: the program takes no more.</summary>
    Closed = 6,

    /// <summary>Device to sender, last: the offset is an <see cref="InputRefusal"/>.</summary>
    Refuse = 7,

    /// <summary>Sender to device, last: the sender goes after the offset, and the program waits for another one, however long.</summary>
    Leave = 8,

    /// <summary>Device to sender, last: it does.</summary>
    Left = 9,
}

internal enum InputRefusal : byte
{
    /// <summary>The device does not have this attempt: not yet, or not any more.</summary>
    NotHere = 1,

    /// <summary>The sender is neither the home of the job nor the device that it names.</summary>
    NotYours = 2,

    /// <summary>The program was started without input.</summary>
    NoInput = 3,

    /// <summary>The job is at rest: nobody will read it.</summary>
    Over = 4,
}

/// <summary>
/// Frames of the service <c>program-input</c>: 1 byte kind, 1 byte zero, 8 bytes offset, 4 bytes length (little-endian), then the data. Documented in
/// <c>docs/protocol/input-v1.md</c>.
/// </summary>
internal readonly record struct InputFrame(InputFrameKind Kind, long Offset, int Length)
{
    public const int HeaderBytes = FrameHeader.Bytes;

    /// <summary>Data of one frame; a longer one breaks the protocol.</summary>
    public const int DataBytesMax = 64 * 1024;

    private FrameHeader Header => new((byte)Kind, 0, Offset, Length);

    public static bool TryRead(ReadOnlySpan<byte> header, out InputFrame frame)
    {
        bool isFrame = FrameHeader.TryRead(header, (byte)InputFrameKind.Left, DataBytesMax, out FrameHeader read);
        frame = new InputFrame((InputFrameKind)read.Kind, read.Offset, read.Length);
        return isFrame;
    }

    public void Write(Span<byte> header) => Header.Write(header);

    public ValueTask SendAsync(IMeshStream stream, CancellationToken cancellationToken) => Header.SendAsync(stream, cancellationToken);

    /// <summary>Null at the end of the stream or at bytes that are no frame.</summary>
    public static async ValueTask<InputFrame?> ReadAsync(IMeshStream stream, byte[] header, CancellationToken cancellationToken) =>
        await stream.TryFillAsync(header.AsMemory(0, HeaderBytes), cancellationToken).ConfigureAwait(false) && TryRead(header, out InputFrame frame) ? frame : null;
}
