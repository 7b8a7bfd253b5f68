using System.Buffers;
using System.Buffers.Binary;
using AgentMesh.Node.Links.Wire;
using AgentMesh.Transport;
using Google.Protobuf;

namespace AgentMesh.Node.Links;

/// <summary>Frames of the link stream. A damaged or oversized frame ends the stream; it never throws anything but the stream's own end.</summary>
internal static class LinkFrames
{
    public const int FrameBytesMax = 256 * 1024;

    private const int HeaderBytes = 4;

    public static ValueTask WriteAsync(IMeshStream stream, Frame frame, CancellationToken cancellationToken) => WriteAsync(stream, [frame], cancellationToken);

    /// <summary>All in one write, which is one datagram where they are short; each write of an idle connection is one of its own.</summary>
    public static async ValueTask WriteAsync(IMeshStream stream, IReadOnlyList<Frame> frames, CancellationToken cancellationToken)
    {
        if (frames.Count == 0)
        {
            return;
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(frames.Sum(frame => HeaderBytes + frame.CalculateSize()));
        try
        {
            int length = 0;
            foreach (Frame frame in frames)
            {
                int size = frame.CalculateSize();
                BinaryPrimitives.WriteInt32LittleEndian(buffer.AsSpan(length), size);
                frame.WriteTo(buffer.AsSpan(length + HeaderBytes, size));
                length += HeaderBytes + size;
            }

            await stream.WriteAsync(buffer.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Null at the end of the stream and at bytes that are no frame.</summary>
    public static async ValueTask<Frame?> ReadAsync(IMeshStream stream, CancellationToken cancellationToken)
    {
        byte[] header = new byte[HeaderBytes];
        if (!await stream.TryFillAsync(header, cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        int size = BinaryPrimitives.ReadInt32LittleEndian(header);
        if (size is < 0 or > FrameBytesMax)
        {
            return null;
        }

        byte[] body = new byte[size];
        if (!await stream.TryFillAsync(body, cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        try
        {
            return Frame.Parser.ParseFrom(body);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }
}
