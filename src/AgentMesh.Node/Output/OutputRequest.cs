using System.Buffers.Binary;
using System.Text;
using AgentMesh.Transport;

namespace AgentMesh.Node.Output;

/// <summary>
/// First bytes of both services: 2 bytes length and the job id in UTF-8, 4 bytes attempt, 1 byte stream (0 for all), 8 bytes offset, 1 byte
/// flags (1: follow, 2: the offset counts lines before the end). Little-endian.
/// </summary>
internal readonly record struct OutputRequest(string JobId, int Attempt, byte Stream, long Offset, bool Follow, bool Lines = false)
{
    private const int JobIdBytesMax = 512;
    private const int TailBytes = 14;

    public ValueTask SendAsync(IMeshStream stream, CancellationToken cancellationToken)
    {
        byte[] id = Encoding.UTF8.GetBytes(JobId);
        byte[] message = new byte[2 + id.Length + TailBytes];
        BinaryPrimitives.WriteUInt16LittleEndian(message, (ushort)id.Length);
        id.CopyTo(message, 2);
        Span<byte> tail = message.AsSpan(2 + id.Length);
        BinaryPrimitives.WriteInt32LittleEndian(tail, Attempt);
        tail[4] = Stream;
        BinaryPrimitives.WriteInt64LittleEndian(tail[5..], Offset);
        tail[13] = (byte)((Follow ? 1 : 0) | (Lines ? 2 : 0));
        return stream.WriteAsync(message, cancellationToken);
    }

    /// <summary>Null for bytes that are no request.</summary>
    public static async ValueTask<OutputRequest?> ReadAsync(IMeshStream stream, CancellationToken cancellationToken)
    {
        byte[] length = new byte[2];
        if (!await stream.TryFillAsync(length, cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        int idBytes = BinaryPrimitives.ReadUInt16LittleEndian(length);
        byte[] rest = new byte[Math.Min(idBytes, JobIdBytesMax) + TailBytes];
        if (idBytes is 0 or > JobIdBytesMax || !await stream.TryFillAsync(rest, cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        ReadOnlySpan<byte> tail = rest.AsSpan(idBytes);
        int attempt = BinaryPrimitives.ReadInt32LittleEndian(tail);
        long offset = BinaryPrimitives.ReadInt64LittleEndian(tail[5..]);
        return attempt < 0 || offset < 0 ? null : new OutputRequest(Encoding.UTF8.GetString(rest, 0, idBytes), attempt, tail[4], offset, (tail[13] & 1) != 0, (tail[13] & 2) != 0);
    }
}
