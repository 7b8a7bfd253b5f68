using System.Text;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Client;

/// <summary>Reads the events of a streamed answer one by one: frames, or lines of JSON from a node that knows no frames.</summary>
internal sealed class EventReader(Stream body, bool isFramed) : IDisposable
{
    private readonly byte[] _header = new byte[EventFrames.HeaderBytes];
    private readonly StreamReader? _lines = isFramed ? null : new StreamReader(body);
    private byte[] _head = new byte[512];

    public void Dispose() => _lines?.Dispose();

    /// <returns>The JSON of the next event, valid until the next call, and its data, which are the caller's; null at the end.</returns>
    /// <exception cref="IOException">The answer is cut off, or is not of this protocol.</exception>
    public async ValueTask<(ReadOnlyMemory<byte> Head, ReadOnlyMemory<byte> Data)?> NextAsync(CancellationToken cancellationToken) =>
        isFramed ? await NextFrameAsync(cancellationToken).ConfigureAwait(false) : await NextLineAsync(cancellationToken).ConfigureAwait(false);

    private async ValueTask<(ReadOnlyMemory<byte> Head, ReadOnlyMemory<byte> Data)?> NextFrameAsync(CancellationToken cancellationToken)
    {
        int read = await body.ReadAtLeastAsync(_header, _header.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        if (read == 0)
        {
            return null;
        }

        if (read < _header.Length || !EventFrames.TryReadHeader(_header, out int headBytes, out int dataBytes))
        {
            throw new IOException("the answer ends in the middle of an event, or is of another protocol");
        }

        if (headBytes > _head.Length)
        {
            _head = new byte[headBytes];
        }

        await body.ReadExactlyAsync(_head.AsMemory(0, headBytes), cancellationToken).ConfigureAwait(false);
        byte[] data = dataBytes == 0 ? [] : GC.AllocateUninitializedArray<byte>(dataBytes);
        await body.ReadExactlyAsync(data, cancellationToken).ConfigureAwait(false);
        return (_head.AsMemory(0, headBytes), data);
    }

    private async ValueTask<(ReadOnlyMemory<byte> Head, ReadOnlyMemory<byte> Data)?> NextLineAsync(CancellationToken cancellationToken) =>
        await _lines!.ReadLineAsync(cancellationToken).ConfigureAwait(false) switch
        {
            null => null,
            { Length: > EventFrames.PartBytesMax } => throw new IOException("a line of the answer is too long"),
            var line => (Encoding.UTF8.GetBytes(line), default),
        };
}
