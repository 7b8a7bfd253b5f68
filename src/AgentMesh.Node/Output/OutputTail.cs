using AgentMesh.Journal;

namespace AgentMesh.Node.Output;

/// <summary>Where a reader begins: at a byte, or some lines before the end as it is then.</summary>
/// <param name="Lines">Null for <paramref name="Offset"/>.</param>
internal readonly record struct OutputStart(long Offset, int? Lines = null)
{
    public static implicit operator OutputStart(long offset) => new(offset);
}

/// <summary>Finds the last lines of a stream.</summary>
internal static class OutputTail
{
    /// <summary>Lines that are longer than this altogether are cut at their beginning.</summary>
    public const long BytesMax = 16 * 1024 * 1024;

    private const int PieceBytes = 64 * 1024;

    /// <summary>A line end at the very end ends the last line, it does not begin another one.</summary>
    public static async ValueTask<long> OffsetOfAsync(IOutputStore store, OutputAddress address, int lines, CancellationToken cancellationToken)
    {
        long end = (await store.ReadAsync(address, 0, 1, cancellationToken).ConfigureAwait(false)).State.Length, least = Math.Max(0, end - BytesMax);
        if (lines <= 0)
        {
            return end;
        }

        int wanted = lines;
        for (long to = end; to > least;)
        {
            long from = Math.Max(least, to - PieceBytes);
            byte[] piece = await ReadAsync(store, address, from, (int)(to - from), cancellationToken).ConfigureAwait(false);
            for (int i = piece.Length - 1; i >= 0; i--)
            {
                if (piece[i] == '\n' && from + i + 1 < end && --wanted <= 0)
                {
                    return from + i + 1;
                }
            }

            to = from;
        }

        return least;
    }

    private static async ValueTask<byte[]> ReadAsync(IOutputStore store, OutputAddress address, long from, int count, CancellationToken cancellationToken)
    {
        byte[] piece = new byte[count];
        for (int have = 0; have < count;)
        {
            OutputSlice slice = await store.ReadAsync(address, from + have, count - have, cancellationToken).ConfigureAwait(false);
            if (slice.Data.Length == 0)
            {
                // Retention took it meanwhile.
                return piece[..have];
            }

            slice.Data.CopyTo(piece.AsMemory(have));
            have += slice.Data.Length;
        }

        return piece;
    }
}
