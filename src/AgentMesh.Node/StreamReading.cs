using AgentMesh.Transport;

namespace AgentMesh.Node;

internal static class StreamReading
{
    /// <summary>Fills the whole buffer; false where the stream ends before.</summary>
    public static async ValueTask<bool> TryFillAsync(this IMeshStream stream, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (buffer.Length > 0)
        {
            int read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            if (read == 0)
            {
                return false;
            }

            buffer = buffer[read..];
        }

        return true;
    }
}
