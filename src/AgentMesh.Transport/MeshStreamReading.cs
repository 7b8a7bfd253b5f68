namespace AgentMesh.Transport;

public static class MeshStreamReading
{
    /// <summary>Fills the whole buffer; false where the stream ends before.</summary>
    /// <exception cref="StreamAbortedException">The remote side reset the stream or the connection ended.</exception>
    public static async ValueTask<bool> TryFillAsync(this IMeshStream stream, Memory<byte> buffer, CancellationToken cancellationToken) =>
        await stream.FillAsync(buffer, cancellationToken).ConfigureAwait(false) == buffer.Length;

    /// <summary>Fills the buffer, or reads to the end of the stream.</summary>
    /// <returns>Bytes read; fewer than the buffer takes only at the end.</returns>
    /// <exception cref="StreamAbortedException">The remote side reset the stream or the connection ended.</exception>
    public static async ValueTask<int> FillAsync(this IMeshStream stream, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int total = 0;
        while (total < buffer.Length)
        {
            int read = await stream.ReadAsync(buffer[total..], cancellationToken).ConfigureAwait(false);
            if (read == 0)
            {
                break;
            }

            total += read;
        }

        return total;
    }
}
