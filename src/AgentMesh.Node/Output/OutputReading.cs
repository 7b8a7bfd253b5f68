using System.Runtime.CompilerServices;
using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Node.Webhooks;

namespace AgentMesh.Node.Output;

/// <summary>A piece of output as a reader gets it.</summary>
internal readonly record struct OutputPiece(int Attempt, OutputStreamKind Stream, long Offset, ReadOnlyMemory<byte> Data);

/// <summary>What an attempt wrote in all, as its end says.</summary>
internal readonly record struct FinalLengths(long Stdout, long Stderr)
{
    public long Of(OutputStreamKind stream) => stream == OutputStreamKind.Stderr ? Stderr : Stdout;
}

/// <summary>Reads the output of jobs from the store of their home, as far as it is and, following, until it is complete.</summary>
internal sealed class OutputReading(IOutputStore store, TimeProvider time)
{
    private const int PieceBytes = 64 * 1024;

    /// <summary>The end of an attempt may be known before its last output has come from the executing device.</summary>
    private static readonly TimeSpan LateWithin = TimeSpan.FromSeconds(15);

    private static readonly OutputStreamKind[] Both = [OutputStreamKind.Stdout, OutputStreamKind.Stderr];

    /// <summary>What an attempt that is over wrote to its standard output; null where that is not there any more.</summary>
    /// <param name="bytes">As its end tells; not more than fits into memory.</param>
    public async Task<string?> ReadStdoutAsync(JobId job, int attempt, long bytes)
    {
        using var whole = new MemoryStream();
        await foreach (OutputPiece piece in ReadAsync(job, attempt, OutputStreamKind.Stdout, 0, Task.FromResult<FinalLengths?>(new FinalLengths(bytes, 0)), CancellationToken.None).ConfigureAwait(false))
        {
            whole.Write(piece.Data.Span[..(int)Math.Min(piece.Data.Length, bytes - whole.Length)]);
        }

        return whole.Length == bytes ? System.Text.Encoding.UTF8.GetString(whole.GetBuffer(), 0, (int)whole.Length) : null;
    }

    /// <summary>The last bytes of a stream of an attempt that is over, from a whole character on; what is not there any more is left out.</summary>
    /// <param name="length">Of the stream, as the end of the attempt tells.</param>
    public async Task<string> ReadEndAsync(JobId job, int attempt, OutputStreamKind stream, long length, int bytes, CancellationToken cancellationToken)
    {
        if (length == 0)
        {
            return "";
        }

        using var read = new MemoryStream();
        var end = Task.FromResult<FinalLengths?>(new FinalLengths(length, length));
        await foreach (OutputPiece piece in ReadAsync(job, attempt, stream, Math.Max(0, length - bytes), end, cancellationToken).ConfigureAwait(false))
        {
            read.Write(piece.Data.Span[..(int)Math.Min(piece.Data.Length, bytes - read.Length)]);
        }

        return TextEnd.Of(read.GetBuffer().AsSpan(0, (int)read.Length), bytes, isCut: length > bytes);
    }

    /// <summary>Of both streams, for those who are told of a run.</summary>
    public async Task<OutputEnds> ReadEndsAsync(JobId job, int attempt, long stdoutBytes, long stderrBytes, CancellationToken cancellationToken)
    {
        Task<string> stdout = ReadEndAsync(job, attempt, OutputStreamKind.Stdout, stdoutBytes, OutputEnds.BytesMax, cancellationToken);
        Task<string> stderr = ReadEndAsync(job, attempt, OutputStreamKind.Stderr, stderrBytes, OutputEnds.BytesMax, cancellationToken);
        await Task.WhenAll(stdout, stderr).ConfigureAwait(false);
        return new OutputEnds(await stdout.ConfigureAwait(false), await stderr.ConfigureAwait(false));
    }

    /// <param name="stream">Null for both; what was read first is given first.</param>
    /// <param name="end">
    /// Completes when the attempt is over: with what it wrote in all, or with null when nothing more is to be waited for. Null reads what is there now.
    /// </param>
    public async IAsyncEnumerable<OutputPiece> ReadAsync(JobId job, int attempt, OutputStreamKind? stream, OutputStart from, Task<FinalLengths?>? end, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string id = job.ToString();
        OutputStreamKind[] streams = stream is { } one ? [one] : Both;
        long[] offsets = [.. streams.Select(_ => from.Offset)];
        for (int i = 0; from.Lines is { } lines && i < streams.Length; i++)
        {
            offsets[i] = await OutputTail.OffsetOfAsync(store, new OutputAddress(id, attempt, streams[i]), lines, cancellationToken).ConfigureAwait(false);
        }

        long? endedAt = null;
        while (true)
        {
            FinalLengths? final = end is { IsCompletedSuccessfully: true } ? await end.ConfigureAwait(false) : null;
            bool isOver = end is null || end.IsCompleted;
            bool moved = false, complete = true;
            for (int i = 0; i < streams.Length; i++)
            {
                OutputSlice slice = await store.ReadAsync(new OutputAddress(id, attempt, streams[i]), offsets[i], PieceBytes, cancellationToken).ConfigureAwait(false);
                if (slice.Data.Length > 0)
                {
                    offsets[i] += slice.Data.Length;
                    moved = true;
                    yield return new OutputPiece(attempt, streams[i], slice.Offset, slice.Data);
                }

                complete &= (final is { } lengths && offsets[i] >= lengths.Of(streams[i])) || (slice.State.IsComplete && offsets[i] >= slice.State.Length);
            }

            if (moved)
            {
                continue;
            }

            if (complete || (isOver && final is null))
            {
                yield break;
            }

            if (isOver)
            {
                endedAt ??= time.GetTimestamp();
                if (time.GetElapsedTime(endedAt.Value) >= LateWithin)
                {
                    yield break;
                }
            }

            await WaitAsync(id, attempt, streams, offsets, isOver ? Task.Delay(LateWithin, time, cancellationToken) : end!, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task WaitAsync(string id, int attempt, OutputStreamKind[] streams, long[] offsets, Task end, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        List<Task> news = [end];
        for (int i = 0; i < streams.Length; i++)
        {
            var address = new OutputAddress(id, attempt, streams[i]);
            OutputState state = (await store.ReadAsync(address, 0, 0, cancellationToken).ConfigureAwait(false)).State;
            if (!state.IsComplete || state.Length > offsets[i])
            {
                news.Add(store.WaitForLengthAsync(address, offsets[i], over.Token));
            }
        }

        await Task.WhenAny(news).ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
    }
}
