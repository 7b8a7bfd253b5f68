using System.Buffers;
using System.Threading.Channels;
using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Spool;

namespace AgentMesh.Node.Output;

/// <summary>Says whether a device may deliver output for an attempt: it must be the one that the job's home has sent the attempt to.</summary>
/// <returns>Null where it may.</returns>
internal delegate Task<OutputRefusal?> OutputPermission(string jobId, int attempt, DeviceId from, CancellationToken cancellationToken);

/// <summary>Takes output in at the home of a job and acknowledges what is on disk.</summary>
internal sealed class OutputIntake(IOutputStore store, OutputPermission mayDeliver, BulkPace pace)
{
    /// <summary>Appends that wait for the disk on one stream; at 256 KiB each they bound its memory to 8 MiB.</summary>
    private const int PendingMax = 32;

    /// <summary>Serves one <c>output-append</c> stream until it ends.</summary>
    public async Task ServeAsync(IMeshConnection connection, IMeshStream stream, CancellationToken cancellationToken)
    {
        if (await OutputRequest.ReadAsync(stream, cancellationToken).ConfigureAwait(false) is not { } request)
        {
            stream.Abort((ulong)OutputRefusal.UnknownJob);
            return;
        }

        OutputRefusal? refusal = await mayDeliver(request.JobId, request.Attempt, connection.RemoteId, cancellationToken).ConfigureAwait(false)
            ?? await BeginAsync(request.JobId, request.Attempt).ConfigureAwait(false);
        if (refusal is { } why)
        {
            await RefuseAsync(stream, why, cancellationToken).ConfigureAwait(false);
            return;
        }

        var pending = Channel.CreateBounded<Pending>(new BoundedChannelOptions(PendingMax) { SingleReader = true, SingleWriter = true });
        using var refused = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task answering = AnswerAsync(stream, pending.Reader, refused, cancellationToken);
        try
        {
            await TakeAsync(request, stream, pending.Writer, refused.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Nobody looks at what else the sender sends.
        }
        finally
        {
            pending.Writer.TryComplete();
        }

        await answering.ConfigureAwait(false);
    }

    /// <summary>What of an attempt is for its home: stdout of a program in a pipe goes to the next one.</summary>
    public static SpoolStream[] StreamsOf(Execution execution) => execution.Order.PipeTo is null ? [SpoolStream.Stdout, SpoolStream.Stderr] : [SpoolStream.Stderr];

    /// <summary>Why the store does not take something.</summary>
    public static OutputRefusal WhyOf(MeshException error) => error.Code switch
    {
        JournalErrors.OutputFull => OutputRefusal.NoRoom,
        JournalErrors.OutputTooLarge or JournalErrors.OutputDamaged => OutputRefusal.Unstorable,
        _ => OutputRefusal.StoreFailed,
    };

    /// <summary>A gap is what follows on output that was given up: the rest has no place any more.</summary>
    private static OutputRefusal? WhyOf(OutputAppendStatus status) => status switch
    {
        OutputAppendStatus.OlderAttempt => OutputRefusal.OlderAttempt,
        OutputAppendStatus.Gap or OutputAppendStatus.BeyondFinalLength => OutputRefusal.Unstorable,
        _ => null,
    };

    /// <summary>The output of an attempt that runs at its home: the same store, without the network.</summary>
    /// <returns>Null when all of it was taken.</returns>
    /// <exception cref="MeshException">The store does not take it: see <see cref="WhyOf"/>.</exception>
    public async Task<OutputRefusal?> TakeAllAsync(Execution execution, CancellationToken cancellationToken)
    {
        AttemptSpool spool = execution.Spool!;
        AttemptKey key = execution.Order.Key;
        string jobId = key.Job.ToString();
        if (await store.StartAttemptAsync(jobId, key.Attempt).ConfigureAwait(false) == OutputAppendStatus.OlderAttempt)
        {
            return OutputRefusal.OlderAttempt;
        }

        byte[] buffer = new byte[OutputFrame.DataBytesMax];
        while (true)
        {
            Task changed = spool.Changed;
            bool isEnded = spool.IsEnded, moved = false;
            foreach (SpoolStream part in StreamsOf(execution))
            {
                long offset = spool.Acknowledged(part);
                int read = await spool.ReadAsync(part, offset, buffer, cancellationToken).ConfigureAwait(false);
                if (read > 0)
                {
                    OutputAppendResult result = await store.AppendAsync(new OutputAddress(jobId, key.Attempt, KindOf((byte)part)), offset, buffer.AsMemory(0, read)).ConfigureAwait(false);
                    if (WhyOf(result.Status) is { } why)
                    {
                        return why;
                    }

                    spool.Acknowledge(part, result.Length);
                    moved = true;
                    await pace.PassAsync(read, cancellationToken).ConfigureAwait(false);
                }
            }

            if (!moved && isEnded)
            {
                await EndAsync(jobId, key.Attempt, execution.Order.PipeTo is null ? spool.Length(SpoolStream.Stdout) : 0, spool.Length(SpoolStream.Stderr)).ConfigureAwait(false);
                return null;
            }

            if (!moved)
            {
                await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<OutputRefusal?> BeginAsync(string jobId, int attempt)
    {
        try
        {
            return await store.StartAttemptAsync(jobId, attempt).ConfigureAwait(false) == OutputAppendStatus.OlderAttempt ? OutputRefusal.OlderAttempt : null;
        }
        catch (MeshException error)
        {
            return WhyOf(error);
        }
    }

    private static OutputStreamKind KindOf(byte stream) => stream == (byte)SpoolStream.Stderr ? OutputStreamKind.Stderr : OutputStreamKind.Stdout;

    private static async Task RefuseAsync(IMeshStream stream, OutputRefusal why, CancellationToken cancellationToken)
    {
        await new OutputFrame(OutputFrameKind.Refuse, 0, (long)why, 0).SendAsync(stream, cancellationToken).ConfigureAwait(false);
        await stream.CompleteWritesAsync().ConfigureAwait(false);
    }

    private async Task TakeAsync(OutputRequest request, IMeshStream stream, ChannelWriter<Pending> pending, CancellationToken cancellationToken)
    {
        byte[] header = new byte[OutputFrame.HeaderBytes];
        var final = new Dictionary<OutputStreamKind, long>();
        while (await OutputFrame.ReadAsync(stream, header, cancellationToken).ConfigureAwait(false) is { } frame)
        {
            if (frame.Stream is not ((byte)SpoolStream.Stdout or (byte)SpoolStream.Stderr))
            {
                return;
            }

            if (frame.Kind == OutputFrameKind.End)
            {
                final[KindOf(frame.Stream)] = frame.Offset;
                if (final.Count == 2)
                {
                    // In line behind the appends: the end counts only after everything before it is on disk.
                    await pending.WriteAsync(new Pending(0, null, null, () => EndAsync(request.JobId, request.Attempt, final[OutputStreamKind.Stdout], final[OutputStreamKind.Stderr])), cancellationToken).ConfigureAwait(false);
                }

                continue;
            }

            byte[] data = ArrayPool<byte>.Shared.Rent(frame.Length);
            if (frame.Kind != OutputFrameKind.Data || !await stream.TryFillAsync(data.AsMemory(0, frame.Length), cancellationToken).ConfigureAwait(false))
            {
                ArrayPool<byte>.Shared.Return(data);
                return;
            }

            Task<OutputAppendResult> append = store.AppendAsync(new OutputAddress(request.JobId, request.Attempt, KindOf(frame.Stream)), frame.Offset, data.AsMemory(0, frame.Length));
            await pending.WriteAsync(new Pending(frame.Stream, append, data, null), cancellationToken).ConfigureAwait(false);
            await pace.PassAsync(frame.Length, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <param name="refused">Cancelled here, when nothing more is taken.</param>
    private static async Task AnswerAsync(IMeshStream stream, ChannelReader<Pending> pending, CancellationTokenSource refused, CancellationToken cancellationToken)
    {
        try
        {
            if (await AcknowledgeAsync(stream, pending, cancellationToken).ConfigureAwait(false) is { } why)
            {
                await RefuseAsync(stream, why, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                await stream.CompleteWritesAsync().ConfigureAwait(false);
            }
        }
        finally
        {
            await refused.CancelAsync().ConfigureAwait(false);
        }
    }

    /// <returns>Why it ended before the end of the stream.</returns>
    private static async Task<OutputRefusal?> AcknowledgeAsync(IMeshStream stream, ChannelReader<Pending> pending, CancellationToken cancellationToken)
    {
        await foreach (Pending next in pending.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            if (next.End is { } end)
            {
                await end().ConfigureAwait(false);
                await new OutputFrame(OutputFrameKind.End, (byte)SpoolStream.Stdout, 0, 0).SendAsync(stream, cancellationToken).ConfigureAwait(false);
                await new OutputFrame(OutputFrameKind.End, (byte)SpoolStream.Stderr, 0, 0).SendAsync(stream, cancellationToken).ConfigureAwait(false);
                continue;
            }

            OutputAppendResult result;
            try
            {
                result = await next.Append!.ConfigureAwait(false);
            }
            catch (MeshException error)
            {
                return WhyOf(error);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(next.Data!);
            }

            if (WhyOf(result.Status) is { } why)
            {
                return why;
            }

            await new OutputFrame(OutputFrameKind.Acknowledge, next.Stream, result.Length, 0).SendAsync(stream, cancellationToken).ConfigureAwait(false);
        }

        return null;
    }

    private Task<OutputAppendStatus> EndAsync(string jobId, int attempt, long stdout, long stderr) => store.SetFinalLengthsAsync(
        jobId, attempt, new Dictionary<OutputStreamKind, long> { [OutputStreamKind.Stdout] = stdout, [OutputStreamKind.Stderr] = stderr });

    private readonly record struct Pending(byte Stream, Task<OutputAppendResult>? Append, byte[]? Data, Func<Task>? End);
}
