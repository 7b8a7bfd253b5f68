using System.Globalization;
using System.Runtime.CompilerServices;
using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Node.Control;
using JobView = AgentMesh.Mesh.Jobs.JobView;

namespace AgentMesh.Node.Output;

/// <summary>The events of a job from a number on, as its journal holds them; at most so many.</summary>
internal delegate Task<IReadOnlyList<JobEventView>> ReadJobEvents(JobId job, long from, int max, CancellationToken cancellationToken);

/// <summary>
/// The third stream of a job: what happened to it, each event with the number that it has in the journal of its home. While it is followed, also how far its program says it is: that is kept nowhere, and has the
/// number of the event before it.
/// </summary>
internal sealed class JobEventReading(LookAtJob look, ReadJobEvents read, TimeProvider time)
{
    private const int PageMax = 1_000;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    /// <param name="from">The offset is the number of an event; lines are events.</param>
    /// <param name="attempt">Only what is about this one; null for all.</param>
    /// <param name="follow">Until the job has come to rest.</param>
    public async IAsyncEnumerable<JobEventView> ReadAsync(JobId job, OutputStart from, int? attempt, bool follow, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var last = new Queue<JobEventView>();
        Progress? told = null;
        for (long next = Math.Max(1, from.Offset); ;)
        {
            // Before the events: an end that is seen here stands among them.
            JobView? view = await LookAsync(job, cancellationToken).ConfigureAwait(false);
            IReadOnlyList<JobEventView> page = await read(job, next, PageMax, cancellationToken).ConfigureAwait(false);
            next = page.Count > 0 ? page[^1].Number + 1 : next;
            foreach (JobEventView each in page.Where(each => attempt is null || each.Attempt == attempt))
            {
                if (from.Lines is not { } lines)
                {
                    yield return each;
                }
                else if (lines > 0)
                {
                    last.Enqueue(each);
                    _ = last.Count > lines && last.TryDequeue(out _);
                }
            }

            if (page.Count == PageMax)
            {
                continue;
            }

            // The last ones, when it is known which they are.
            from = default;
            while (last.TryDequeue(out JobEventView? each))
            {
                yield return each;
            }

            if (!follow || view?.State.IsAtRest() == true)
            {
                yield break;
            }

            if (view?.Progress is { } progress && progress != told && (attempt is null || view.Attempt == attempt))
            {
                told = progress;
                yield return new JobEventView(next - 1, time.GetUtcNow(), Progressed, view.Attempt, Words(progress));
            }

            await Task.Delay(LookEvery, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>What the name of a report of progress is among the events.</summary>
    public const string Progressed = "progress";

    private static string Words(Progress progress) =>
        (progress.Fraction is { } fraction ? string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(fraction * 100)} % {progress.Text}") : progress.Text).Trim();

    /// <returns>Null where the home is busy or starts over.</returns>
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
