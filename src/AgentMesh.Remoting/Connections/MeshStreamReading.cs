using AgentMesh.Transport;

namespace AgentMesh.Remoting;

internal static class MeshStreamReading
{
    /// <summary>Fills the buffer; false when the stream ended before it was full.</summary>
    public static async ValueTask<bool> TryReadExactAsync(this IMeshStream stream, Memory<byte> buffer, CancellationToken cancellationToken) =>
        await stream.ReadFullyAsync(buffer, cancellationToken).ConfigureAwait(false) == buffer.Length;

    /// <summary>Fills the buffer, or reads to the end of the stream.</summary>
    /// <returns>Bytes read; fewer than the buffer takes only at the end.</returns>
    public static async ValueTask<int> ReadFullyAsync(this IMeshStream stream, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int total = 0;
        while (total < buffer.Length)
        {
            int read = await stream.ReadAsync(buffer[total..], cancellationToken).ConfigureAwait(false);
            if (read == 0)
                break;
            total += read;
        }

        return total;
    }
}
