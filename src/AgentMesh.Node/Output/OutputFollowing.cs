using System.Runtime.CompilerServices;
using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Jobs;

namespace AgentMesh.Node.Output;

/// <summary>Asks a job how it stands now.</summary>
internal delegate Task<JobView> LookAtJob(JobId job, CancellationToken cancellationToken);

/// <summary>Completes when the attempt <paramref name="over"/> is out no longer, or one after <paramref name="after"/> is, or after a while.</summary>
internal delegate Task AwaitAttempt(JobId job, int? over, int? after, CancellationToken cancellationToken);

/// <summary>Reads the output of a job while it goes on: attempt by attempt, each until it is over.</summary>
/// <param name="changes">Null where nobody tells: then it is looked at again and again, as when too many wait for the job already.</param>
internal sealed class OutputFollowing(LookAtJob look, OutputReading output, TimeProvider time, AwaitAttempt? changes = null)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);

    /// <summary>The output of the newest attempt, and when that is lost, of the one after it from its beginning, until the job has come to rest.</summary>
    /// <param name="ending">Completes with the job when it has come to rest.</param>
    /// <param name="only">This attempt and no other.</param>
    /// <param name="from">Where to begin in the attempt that is read first.</param>
    public async IAsyncEnumerable<OutputPiece> ReadAsync(
        JobId job, Task<JobView> ending, OutputStreamKind? stream, int? only, OutputStart from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int shown = 0;
        while (true)
        {
            bool isLast = ending.IsCompleted;
            JobView? view = isLast ? await ending.ConfigureAwait(false) : await LookAsync(job, cancellationToken).ConfigureAwait(false);
            int next = only ?? view?.Attempt ?? 0;
            if (next > shown && (isLast || only is not null || view!.State.HasAttempt()))
            {
                using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                Task<FinalLengths?> end = EndOfAsync(job, next, ending, over.Token);
                await foreach (OutputPiece piece in output.ReadAsync(job, next, stream, shown == 0 ? from : default, end, cancellationToken).ConfigureAwait(false))
                {
                    yield return piece;
                }

                await over.CancelAsync().ConfigureAwait(false);
                shown = next;
            }

            if (isLast || only is not null)
            {
                yield break;
            }

            await ChangeAsync(job, ending, null, shown, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ChangeAsync(JobId job, Task ending, int? over, int? after, CancellationToken cancellationToken)
    {
        using var done = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task first = await Task.WhenAny(ending, ToldAsync(job, over, after, done.Token)).ConfigureAwait(false);
        await done.CancelAsync().ConfigureAwait(false);
        await first.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }

    private async Task ToldAsync(JobId job, int? over, int? after, CancellationToken cancellationToken)
    {
        if (changes is not null)
        {
            try
            {
                await changes(job, over, after, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (MeshException)
            {
                // Too many wait for it, or its home starts over.
            }
        }

        await Task.Delay(LookEvery, time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What the attempt wrote in all; null when that is not known, as of an attempt that was lost.</summary>
    public static FinalLengths? LengthsOf(JobView view, int attempt) =>
        view.Attempt == attempt && view.Result is { Outcome: not AttemptOutcome.Lost } result ? new FinalLengths(result.StdoutBytes, result.StderrBytes) : null;

    /// <summary>An attempt is over when the job waits, is at rest, or has a newer one.</summary>
    private async Task<FinalLengths?> EndOfAsync(JobId job, int attempt, Task<JobView> ending, CancellationToken cancellationToken)
    {
        while (!ending.IsCompleted)
        {
            await ChangeAsync(job, ending, attempt, null, cancellationToken).ConfigureAwait(false);
            if (!ending.IsCompleted && await LookAsync(job, cancellationToken).ConfigureAwait(false) is { } view && (view.Attempt > attempt || !view.State.HasAttempt()))
            {
                return LengthsOf(view, attempt);
            }
        }

        return LengthsOf(await ending.ConfigureAwait(false), attempt);
    }

    /// <returns>Null where the home is busy or starts over: the attempt goes on meanwhile, and <c>ending</c> says when that lasts too long.</returns>
    private async Task<JobView?> LookAsync(JobId job, CancellationToken cancellationToken)
    {
        try
        {
            return await look(job, cancellationToken).ConfigureAwait(false);
        }
        catch (MeshException)
        {
            return null;
        }
    }
}
