using System.Collections.Concurrent;
using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Retention;
using AgentMesh.Mesh.Workflows;
using AgentMesh.Node.Services;
using Akka.Actor;
using Microsoft.Extensions.Logging;

namespace AgentMesh.Node.Retention;

/// <summary>What a round removed, or would.</summary>
/// <param name="Elsewhere">What other members of the pool hold: they remove it.</param>
/// <param name="HasMore">A round takes <see cref="JobRetention.RoundMax"/> jobs at most.</param>
internal readonly record struct Pruned(int Jobs, int Arrays, int Workflows, int Elsewhere, bool HasMore);

/// <summary>
/// Removes ended jobs from the homes of this device when they are over what is retained. The output of a job goes before its journal, or with it in a pool,
/// and an array or a workflow before its jobs: whatever a crash leaves behind goes in the next round.
/// </summary>
internal sealed class JobRetention : IAsyncDisposable
{
    /// <summary>Jobs of one round: what is looked through beside it stays small.</summary>
    public const int RoundMax = 10_000;

    /// <summary>Removed entities that are known as such, of each kind; the oldest are forgotten.</summary>
    private const int RemovedMax = 100_000;
    private const int PageMax = 10_000;
    private const int AtOnce = 32;

    /// <summary>Jobs that are not over, asked which others they wait for.</summary>
    private const int OpenMax = 100_000;

    private static readonly TimeSpan FirstAfter = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan BetweenBatches = TimeSpan.FromMilliseconds(20);

    private readonly IReadOnlyList<RetainedHome> _homes;
    private readonly RetentionLimits _limits;
    private readonly Entities _entities;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    public JobRetention(IReadOnlyList<RetainedHome> homes, RetentionLimits limits, Entities entities, TimeProvider time, ILogger log)
    {
        _homes = homes;
        _limits = limits;
        _entities = entities;
        _time = time;
        _log = log;
        _running = Task.Run(RunAsync);
    }

    /// <summary>One round at one home; rounds do not overlap.</summary>
    /// <param name="before">Jobs that ended so long ago, whatever is retained otherwise; null for the limits of the settings.</param>
    /// <param name="isDry">Removes nothing.</param>
    /// <exception cref="MeshException">The home cannot be reached.</exception>
    public async Task<Pruned> PruneAsync(HomeId home, TimeSpan? before, bool isDry, CancellationToken cancellationToken)
    {
        RetainedHome retained = _homes.First(each => each.Home == home);
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await RoundAsync(retained, before is { } age ? new RetentionLimits(null, age) : _limits, isDry, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stop.Dispose();
        _turn.Dispose();
    }

    private async Task RunAsync()
    {
        TimeSpan pause = FirstAfter;
        while (true)
        {
            await Task.Delay(pause, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = Every;
            foreach (RetainedHome home in _homes)
            {
                if (_stop.IsCancellationRequested)
                {
                    return;
                }

                try
                {
                    Pruned pruned = await PruneAsync(home.Home, null, isDry: false, _stop.Token).ConfigureAwait(false);
                    if (pruned is not (0, 0, 0, _, _))
                    {
                        Log.JobsRemoved(_log, pruned.Jobs, pruned.Arrays, pruned.Workflows, home.Home.ToString());
                    }

                    pause = pruned.HasMore ? TimeSpan.FromSeconds(1) : pause;
                }
                catch (OperationCanceledException)
                {
                    return;
                }
                catch (MeshException away)
                {
                    // The next round comes. What stands in the way is shown where it matters: by the pool, or by the journal.
                    Log.JobsNotRemoved(_log, home.Home.ToString(), away.Message);
                }
            }
        }
    }

    private async Task<Pruned> RoundAsync(RetainedHome home, RetentionLimits limits, bool isDry, CancellationToken cancellationToken)
    {
        IEventStore store = home.Store() ?? throw new MeshException(NodeErrors.NodeStarting, $"this device is still joining {home.Home}", "try again in a moment");
        if (limits is { JobsMax: null, For: null })
        {
            return default;
        }

        var rules = new RetentionRules(limits, _time.GetUtcNow());
        await foreach (RetainedEntity job in JobsAsync(store, home, cancellationToken).ConfigureAwait(false))
        {
            rules.Count(job);
        }

        // Steps of these stay. Elements of arrays are told by their place in the index.
        var workflowsKept = new HashSet<string>(StringComparer.Ordinal);
        (int arrays, int arraysElsewhere) = await WholesAsync(home, store, RetainedKind.Array, rules.TakesWhole, rules.Keep, ArrayId.Prefix, ArrayManifests.AtRest, id => ArrayId.TryParse(id, out ArrayId array) ? new ArrayRemoved(array) : null, isDry, cancellationToken).ConfigureAwait(false);
        (int workflows, int workflowsElsewhere) = await WholesAsync(home, store, RetainedKind.Workflow, rules.TakesWhole, kept => workflowsKept.Add(kept.Id), WorkflowId.Prefix, WorkflowManifests.AtRest, id => WorkflowId.TryParse(id, out WorkflowId workflow) ? new WorkflowRemoved(workflow) : null, isDry, cancellationToken).ConfigureAwait(false);

        // The oldest of those that go: pages come with the newest first.
        var going = new Queue<RetainedEntity>();
        bool hasMore = false;
        await foreach (RetainedEntity job in JobsAsync(store, home, cancellationToken).ConfigureAwait(false))
        {
            if (rules.TakesJob(job))
            {
                going.Enqueue(job);
                hasMore |= going.Count > RoundMax && going.TryDequeue(out _);
            }
        }

        IReadOnlyList<RetainedEntity> free = await FreeAsync(home, store, going, workflowsKept, cancellationToken).ConfigureAwait(false);
        (int jobs, int jobsElsewhere) = isDry ? (free.Count, 0) : await RemoveAllAsync(home, store, free, id => JobId.TryParse(id, out JobId job) ? new JobRemoved(job) : null, static _ => { }, cancellationToken).ConfigureAwait(false);
        if (!isDry)
        {
            foreach (string prefix in new[] { JobId.Prefix, ArrayId.Prefix, WorkflowId.Prefix })
            {
                await ForgetAsync(home, store, prefix, cancellationToken).ConfigureAwait(false);
            }
        }

        return new Pruned(jobs, arrays, workflows, arraysElsewhere + workflowsElsewhere + jobsElsewhere, hasMore && jobs > 0);
    }

    private async Task<(int Gone, int Elsewhere)> WholesAsync(
        RetainedHome home, IEventStore store, RetainedKind kind, Func<RetainedEntity, bool> takes, Action<RetainedEntity> kept, string prefix, IReadOnlySet<string> ended, Func<string, object?> removed, bool isDry, CancellationToken cancellationToken)
    {
        var going = new List<RetainedEntity>();
        await foreach (EntitySummary entity in EachAsync(before => store.ListAsync($"{prefix}{home.Home}/", before, PageMax, cancellationToken)).ConfigureAwait(false))
        {
            RetainedEntity whole = Of(entity, kind, ended);
            if (takes(whole))
            {
                going.Add(whole);
            }
            else
            {
                kept(whole);
            }
        }

        return isDry ? (going.Count, 0) : await RemoveAllAsync(home, store, going, removed, kept, cancellationToken).ConfigureAwait(false);
    }

    private async Task<(int Gone, int Elsewhere)> RemoveAllAsync(
        RetainedHome home, IEventStore store, IReadOnlyList<RetainedEntity> going, Func<string, object?> removed, Action<RetainedEntity> kept, CancellationToken cancellationToken)
    {
        int gone = 0, elsewhere = 0;
        foreach (RetainedEntity[] batch in going.Chunk(AtOnce))
        {
            bool?[] done = await Task.WhenAll(batch.Select(entity => RemoveAsync(home, store, entity, removed))).ConfigureAwait(false);
            foreach ((RetainedEntity entity, bool? isGone) in batch.Zip(done))
            {
                if (isGone == true)
                {
                    gone++;
                }
                else
                {
                    kept(entity);
                    elsewhere += isGone is null ? 1 : 0;
                }
            }

            // What people wait for goes between.
            await Task.Delay(BetweenBatches, _time, cancellationToken).ConfigureAwait(false);
        }

        return (gone, elsewhere);
    }

    /// <returns>Null where another member of the pool has it, and removes it.</returns>
    private async Task<bool?> RemoveAsync(RetainedHome home, IEventStore store, RetainedEntity entity, Func<string, object?> removed)
    {
        try
        {
            if (entity.Kind is RetainedKind.Job or RetainedKind.Part && home.RemoveOutput is { } removeOutput)
            {
                await removeOutput(entity.Id).ConfigureAwait(false);
            }

            if (!await store.RemoveAsync(entity.Id, entity.HighestSequence).ConfigureAwait(false))
            {
                return false;
            }
        }
        catch (MeshException elsewhere) when (elsewhere.Code is JournalErrors.ShardHeld or JournalErrors.Fenced)
        {
            return null;
        }

        if (removed(entity.Id) is { } message)
        {
            home.RegionOf(message)?.Tell(message);
        }

        return true;
    }

    /// <summary>Those that are no step of a workflow that stays, and that no job waits for which has not ended; the oldest first.</summary>
    private async Task<IReadOnlyList<RetainedEntity>> FreeAsync(RetainedHome home, IEventStore store, IReadOnlyCollection<RetainedEntity> going, HashSet<string> workflowsKept, CancellationToken cancellationToken)
    {
        RetainedEntity[] single = [.. going.Where(job => job.Kind == RetainedKind.Job)];
        HashSet<string> awaited = single.Length > 0 ? await AwaitedAsync(home, store, cancellationToken).ConfigureAwait(false) : [];
        var steps = new ConcurrentDictionary<string, bool>(StringComparer.Ordinal);
        await Parallel.ForEachAsync(workflowsKept.Count > 0 ? single : [], new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, async (job, cancel) =>
        {
            if (JobId.TryParse(job.Id, out JobId id) && (await TryAskAsync(id, cancel).ConfigureAwait(false))?.Spec.Owner is { } owner && workflowsKept.Contains(owner.Workflow))
            {
                steps[job.Id] = true;
            }
        }).ConfigureAwait(false);
        return [.. going.Where(job => !awaited.Contains(job.Id) && !steps.ContainsKey(job.Id)).Reverse()];
    }

    /// <summary>Jobs that others wait for, or came after, which have not ended.</summary>
    private async Task<HashSet<string>> AwaitedAsync(RetainedHome home, IEventStore store, CancellationToken cancellationToken)
    {
        var awaited = new ConcurrentBag<string>();
        IReadOnlyList<EntitySummary> open = await store.OpenAsync($"{JobId.Prefix}{home.Home}/", JobManifests.Over, OpenMax, cancellationToken).ConfigureAwait(false);
        IEnumerable<JobId> asked = open.Select(entity => JobId.TryParse(entity.PersistenceId, out JobId id) ? id : default).Where(id => !id.IsNone && !id.Ulid.IsPart);
        await Parallel.ForEachAsync(asked, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, async (id, cancel) =>
        {
            if (await TryAskAsync(id, cancel).ConfigureAwait(false) is { } job)
            {
                foreach (JobDependency dependency in job.Spec.After)
                {
                    awaited.Add(dependency.JobId.ToString());
                }
            }
        }).ConfigureAwait(false);
        return [.. awaited];
    }

    /// <returns>Null where another member of the pool was first.</returns>
    private async Task<JobView?> TryAskAsync(JobId id, CancellationToken cancellationToken)
    {
        try
        {
            return await _entities.AskAsync<JobView>(new GetJob(id), cancellationToken).ConfigureAwait(false);
        }
        catch (MeshException gone) when (gone.Code == MeshErrors.Removed)
        {
            return null;
        }
    }

    private static async Task ForgetAsync(RetainedHome home, IEventStore store, string prefix, CancellationToken cancellationToken)
    {
        int known = 0;
        await foreach (EntitySummary removed in EachAsync(before => store.RemovedAsync($"{prefix}{home.Home}/", before, PageMax, cancellationToken)).ConfigureAwait(false))
        {
            if (++known > RemovedMax)
            {
                try
                {
                    await store.ForgetRemovedAsync(removed.PersistenceId).ConfigureAwait(false);
                }
                catch (MeshException elsewhere) when (elsewhere.Code is JournalErrors.ShardHeld or JournalErrors.Fenced)
                {
                    // As in RemoveAsync.
                }
            }
        }
    }

    private static async IAsyncEnumerable<RetainedEntity> JobsAsync(
        IEventStore store, RetainedHome home, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (EntitySummary entity in EachAsync(before => store.ListAsync($"{JobId.Prefix}{home.Home}/", before, PageMax, cancellationToken)).ConfigureAwait(false))
        {
            if (JobId.TryParse(entity.PersistenceId, out JobId id))
            {
                yield return Of(entity, id.Ulid.IsPart ? RetainedKind.Part : RetainedKind.Job, JobManifests.Over);
            }
        }
    }

    private static RetainedEntity Of(EntitySummary entity, RetainedKind kind, IReadOnlySet<string> ended) => new(
        entity.PersistenceId, kind, ended.Contains(entity.LastManifest), entity.Key, entity.HighestSequence, DateTimeOffset.FromUnixTimeMilliseconds(entity.LastAt));

    /// <summary>Page by page, the newest first.</summary>
    private static async IAsyncEnumerable<EntitySummary> EachAsync(Func<long?, Task<EntityPage>> read)
    {
        long? next = null;
        do
        {
            EntityPage page = await read(next).ConfigureAwait(false);
            foreach (EntitySummary entity in page.Entities)
            {
                yield return entity;
            }

            next = page.Next;
        }
        while (next is not null);
    }
}
