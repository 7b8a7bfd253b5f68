using AgentMesh.Mesh;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Workflows;
using Simulation.Engine;
using Simulation.World;

namespace Simulation.Checks;

/// <summary>What must hold when it has become quiet, whatever went wrong before.</summary>
internal static class Checker
{
    /// <summary>A schedule looks at its clock each 15 seconds, and the newest times are fired after those that are made up for.</summary>
    private static readonly TimeSpan NoticedWithin = TimeSpan.FromSeconds(40);

    public static void Check(History history, IEnumerable<SimDisk> disks, IEnumerable<CronId> crons, IReadOnlySet<string>? unreadable = null)
    {
        var serializer = new MeshSerializer(null!);
        var events = disks.SelectMany(disk => disk.History)
            .Where(stored => unreadable?.Contains(stored.Id) != true)
            .GroupBy(stored => stored.Id, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.Select(stored => serializer.FromBinary(stored.Bytes, stored.Manifest)).ToArray(), StringComparer.Ordinal);

        foreach ((string key, string job) in history.Acknowledged)
        {
            Assert.True(events.ContainsKey(job), $"{job} of key {key} was acknowledged and is lost");
        }

        ILookup<string, int> ran = history.Attempts.Keys.ToLookup(each => each.Job, each => each.Attempt, StringComparer.Ordinal);
        foreach ((string id, object[] changes) in events.Where(each => each.Key.StartsWith(JobId.Prefix, StringComparison.Ordinal)))
        {
            CheckJob(history, id, [.. changes.Cast<IJobEvent>()], ran[id], events);
        }

        CheckDependencies(events);
        foreach (string array in history.Arrays.Union(events.Keys.Where(id => id.StartsWith(ArrayId.Prefix, StringComparison.Ordinal))))
        {
            Assert.True(events.TryGetValue(array, out object[]? changes), $"{array} was acknowledged and is lost");
            CheckArray(history, array, [.. changes.Cast<IArrayEvent>()], events);
        }

        foreach (string workflow in history.Workflows.Union(events.Keys.Where(id => id.StartsWith(WorkflowId.Prefix, StringComparison.Ordinal))))
        {
            Assert.True(events.TryGetValue(workflow, out object[]? changes), $"{workflow} was acknowledged and is lost");
            WorkflowChecker.Check(history, workflow, [.. changes.Cast<IWorkflowEvent>()], events);
        }

        Assert.True(history.StillRunning.Count == 0, $"nobody waits for {string.Join(", ", history.StillRunning)} and they run on");
        foreach (CronId cron in crons)
        {
            CheckCron(cron, [.. events[cron.ToString()].Cast<ICronEvent>()], events);
        }
    }

    private static void CheckJob(History history, string id, IJobEvent[] changes, IEnumerable<int> ran, Dictionary<string, object[]> events)
    {
        Assert.True(JobId.TryParse(id, out JobId job));
        JobState state = JobState.None(job);
        int attempt = 0;
        foreach (IJobEvent change in changes)
        {
            state = state.Apply(change);
            if (change is AcceptedEvent { Placement: { } first })
            {
                Assert.Equal(1, first.Attempt);
                attempt = 1;
            }
            else if (change is PlacedEvent placed)
            {
                Assert.Equal(attempt + 1, placed.Placement.Attempt);
                attempt++;
            }
        }

        Assert.True(state.IsAtRest || WaitsForPaused(id, events), $"{id} never came to rest: {state.Name}");
        Assert.Single(changes, change => change is AcceptedEvent);
        CompletedEvent[] completed = [.. changes.OfType<CompletedEvent>()];
        Assert.True(completed.Length <= 1, $"{id} has {completed.Length} results");
        if (completed is [{ } end])
        {
            // The newest attempt's own result, and one that a device has really had.
            Assert.Equal(attempt, end.Attempt);
            Assert.Equal($"{id}#{attempt}", end.Result.Text);
            Assert.Equal(AttemptOutcome.Succeeded, history.Attempts[(id, attempt)]?.Outcome);
        }

        foreach (int begun in ran)
        {
            Assert.True(begun <= attempt, $"{id}#{begun} ran, and the journal does not know it");
        }

        if (history.CancelAcknowledged.Contains(id))
        {
            Assert.True(state.Name == JobStateName.Cancelled, $"{id} was to be cancelled and is {state.Name}");
        }
    }

    /// <summary>A paused job is a person's to decide, and so is what waits for it.</summary>
    private static bool WaitsForPaused(string id, Dictionary<string, object[]> events) =>
        events[id] is [AcceptedEvent { Spec.After: { IsEmpty: false } after }] && after.Any(before => events[before.JobId.ToString()][^1] is PausedEvent || WaitsForPaused(before.JobId.ToString(), events));

    private static void CheckDependencies(Dictionary<string, object[]> events)
    {
        foreach (object[] changes in events.Values)
        {
            if (changes[0] is not AcceptedEvent { Spec.After.IsEmpty: false } accepted || !changes.Any(change => change is PlacedEvent))
            {
                continue;
            }

            // It has begun: those before it have ended as it was asked, and do so still.
            foreach (JobDependency before in accepted.Spec.After)
            {
                object end = events[before.JobId.ToString()][^1];
                JobStateName state = end switch { CompletedEvent => JobStateName.Completed, FailedEvent => JobStateName.Failed, CancelledEvent => JobStateName.Cancelled, _ => JobStateName.Paused };
                Assert.True(before.IsMet(state) == true, $"a job began after {before}, which is {state}");
            }
        }
    }

    private static void CheckArray(History history, string id, IArrayEvent[] changes, Dictionary<string, object[]> events)
    {
        Assert.True(ArrayId.TryParse(id, out ArrayId array));
        ArrayState state = ArrayState.None(array);
        foreach (IArrayEvent change in changes)
        {
            state = state.Apply(change);
        }

        bool isPaused = state.Running.Values.All(run => events.TryGetValue(run.JobId.ToString(), out object[]? job) && job[^1] is PausedEvent);
        Assert.True(state.EndedAt is not null || (state.Running.Count > 0 && isPaused), $"{id} is not over: {state.Waiting} wait, {string.Join(", ", state.Running.Values.Select(run => run.JobId))} run");
        foreach (ElementEnd end in state.Ended.Values)
        {
            object last = events[end.Run.JobId.ToString()][^1];
            Assert.True(end.State == JobStateName.Completed == last is CompletedEvent, $"{id}: element {end.Run.Index} is {end.State}, and its job ended with {last.GetType().Name}");
        }

        if (state.EndedAt is not null && state.CancelRequestedAt is null)
        {
            Assert.Equal(state.Count, state.Ended.Count);
        }

        if (history.CancelAcknowledged.Contains(id))
        {
            Assert.NotNull(state.CancelRequestedAt);
        }
    }

    private static void CheckCron(CronId id, ICronEvent[] changes, Dictionary<string, object[]> events)
    {
        CronState state = CronState.None(id);
        foreach (ICronEvent change in changes)
        {
            state = state.Apply(change);
        }

        CronFiredEvent[] fired = [.. changes.OfType<CronFiredEvent>()];
        Assert.Equal(fired.Length, fired.Select(fire => fire.Nominal).Distinct().Count());
        Assert.Equal(fired.Length, fired.Select(fire => fire.JobId).Distinct().Count());
        foreach (CronFiredEvent fire in fired)
        {
            Assert.True(events.ContainsKey(fire.JobId.ToString()), $"{id} fired at {fire.Nominal:u} and its job is lost");
        }

        Assert.True(fired.Length > 0, $"{id} never fired");

        // When it was disabled, nothing had gone wrong for minutes: it had noticed every minute up to then.
        if (changes.OfType<CronDisabledEvent>().LastOrDefault() is { } disabled)
        {
            DateTimeOffset noticed = changes.Select(change => change switch { CronFiredEvent fire => fire.Nominal, CronMissedEvent missed => missed.Through, CronBufferedEvent wait => wait.Nominal, _ => DateTimeOffset.MinValue }).Max();
            Assert.True(disabled.At - noticed < TimeSpan.FromMinutes(1) + state.Spec!.Jitter + NoticedWithin, $"{id} was disabled at {disabled.At:T}, and the last time that it noticed is {noticed:T}");
        }

        if (state.Spec!.Missed != CronMissed.All)
        {
            return;
        }

        // Every minute since it was made, but for what the bound of making up has counted out.
        DateTimeOffset first = changes[0].At, last = fired[^1].Nominal;
        var minutes = new HashSet<DateTimeOffset>(fired.Select(fire => fire.Nominal));
        long expected = (last.UtcTicks / TimeSpan.TicksPerMinute) - (first.UtcTicks / TimeSpan.TicksPerMinute);
        Assert.Equal(expected, minutes.Count + state.Missed);
    }
}
