using AgentMesh.Transport;

namespace AgentMesh.Remoting;

internal static class MeshStreamReading
{
    /// <summary>Fills the buffer; false when the stream ended before it was full.</summary>
    public static async ValueTask<bool> TryReadExactAsync(this IMeshStream stream, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (!buffer.IsEmpty)
        {
            int read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            if (read == 0)
                return false;
            buffer = buffer[read..];
        }

        return true;
    }
}
