namespace AgentMesh.Cli.Output;

/// <summary>
/// Writes bytes so that no character of UTF-8 is cut where two streams meet on one terminal: the beginning of a character waits for its rest. What is no UTF-8 passes as it is.
/// </summary>
internal sealed class WholeCharacters(Stream to)
{
    private readonly byte[] _begun = new byte[4];
    private int _count;

    public async Task WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        int cut = Cut(_begun.AsSpan(0, _count), data.Span);
        int whole = data.Length - cut;
        if (whole > 0 || (data.Length > 0 && !IsRest(data.Span[0])))
        {
            // Also where another character begins: what waits will never have its rest.
            await FlushAsync(cancellationToken).ConfigureAwait(false);
        }

        if (whole > 0)
        {
            await to.WriteAsync(data[..whole], cancellationToken).ConfigureAwait(false);
            await to.FlushAsync(cancellationToken).ConfigureAwait(false);
        }

        data[whole..].Span.CopyTo(_begun.AsSpan(_count));
        _count += cut;
    }

    /// <summary>What waits is written: nothing more will come.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_count > 0)
        {
            await to.WriteAsync(_begun.AsMemory(0, _count), cancellationToken).ConfigureAwait(false);
            await to.FlushAsync(cancellationToken).ConfigureAwait(false);
            _count = 0;
        }
    }

    /// <returns>How many bytes at the end of both begin a character and do not end it; those of the first are among them only when all of the second is.</returns>
    internal static int Cut(ReadOnlySpan<byte> before, ReadOnlySpan<byte> data)
    {
        for (int back = 1; back <= Math.Min(3, data.Length); back++)
        {
            byte each = data[^back];
            if (!IsRest(each))
            {
                return each >= 0xF0 ? (back < 4 ? back : 0) : each >= 0xE0 ? (back < 3 ? back : 0) : each >= 0xC0 ? (back < 2 ? back : 0) : 0;
            }
        }

        // Only the middle of a character: it waits with its beginning, unless that is whole now.
        int needed = before.IsEmpty ? 0 : before[0] >= 0xF0 ? 4 : before[0] >= 0xE0 ? 3 : 2;
        return before.Length + data.Length < needed ? data.Length : 0;
    }

    private static bool IsRest(byte each) => (each & 0xC0) == 0x80;
}
