using System.Runtime.CompilerServices;

namespace AgentMesh.Node.Output;

/// <summary>
/// Events and output of a job as one stream in the order in which they came about, as far as that is known: output has no times of its own. What has happened before comes before the output, what happens
/// while it is read where it happens, and the end of the job behind the last of its output.
/// </summary>
internal static class LogMerge
{
    /// <summary>When no event came for so long, those of before are told.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(200);

    /// <param name="isEnd">Whether an event ends the job: the last one is kept until the output is over.</param>
    public static async IAsyncEnumerable<T> ReadAsync<T>(
        Func<CancellationToken, IAsyncEnumerable<T>> events, Func<CancellationToken, IAsyncEnumerable<T>> output, Func<T, bool> isEnd, TimeProvider time, [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : struct
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        IAsyncEnumerator<T> happened = events(over.Token).GetAsyncEnumerator(over.Token), written = output(over.Token).GetAsyncEnumerator(over.Token);
        Task<bool>? nextEvent = happened.MoveNextAsync().AsTask(), nextOutput = null;
        bool hasBegun = false;
        T? held = null;
        try
        {
            while (true)
            {
                if (!hasBegun && (nextEvent is null || !await IsSoonAsync(nextEvent, time, cancellationToken).ConfigureAwait(false)))
                {
                    hasBegun = true;
                    nextOutput = written.MoveNextAsync().AsTask();
                }

                if (nextEvent is null && nextOutput is null)
                {
                    break;
                }

                await Task.WhenAny(nextEvent ?? nextOutput!, nextOutput ?? nextEvent!).ConfigureAwait(false);
                if (nextOutput is { IsCompleted: true })
                {
                    bool isMore = await nextOutput.ConfigureAwait(false);
                    if (isMore)
                    {
                        yield return written.Current;
                    }

                    nextOutput = isMore ? written.MoveNextAsync().AsTask() : null;
                }
                else if (nextEvent is { IsCompleted: true })
                {
                    bool isMore = await nextEvent.ConfigureAwait(false);
                    if (isMore && held is { } before)
                    {
                        // It was not the last one.
                        held = null;
                        yield return before;
                    }

                    if (isMore)
                    {
                        T each = happened.Current;
                        bool isKept = isEnd(each) && !(hasBegun && nextOutput is null);
                        if (isKept)
                        {
                            held = each;
                        }
                        else
                        {
                            yield return each;
                        }
                    }

                    nextEvent = isMore ? happened.MoveNextAsync().AsTask() : null;
                }

                if (hasBegun && nextOutput is null && held is { } end)
                {
                    held = null;
                    yield return end;
                }
            }
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await ((Task)Task.WhenAll(nextEvent ?? Task.FromResult(false), nextOutput ?? Task.FromResult(false))).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await happened.DisposeAsync().ConfigureAwait(false);
            await written.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async Task<bool> IsSoonAsync(Task next, TimeProvider time, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task first = await Task.WhenAny(next, Task.Delay(Quiet, time, stop.Token)).ConfigureAwait(false);
        await stop.CancelAsync().ConfigureAwait(false);
        return first == next;
    }
}
