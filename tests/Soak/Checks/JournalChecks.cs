using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Workflows;

namespace Soak.Checks;

/// <summary>What the journals of the ended nodes hold.</summary>
internal static class JournalChecks
{
    private const int PageMax = 1_000;

    private static readonly HashSet<string> AtRest = new(StringComparer.Ordinal) { "job-event.completed.1", "job-event.failed.1", "job-event.cancelled.1", "job-event.paused.1" };

    /// <param name="known">Ids that this home returned.</param>
    /// <returns>Jobs in the journal.</returns>
    public static async Task<int> RunAsync(Board board, string node, string data, IReadOnlyCollection<string> known)
    {
        SqliteEventStore? opened = null;
        try
        {
            opened = SqliteEventStore.Open(new EventStoreSettings { Path = Path.Combine(data, "journal.db") }, TimeProvider.System);
        }
        catch (MeshException damaged)
        {
            board.Check("the journal is whole", false, () => $"{node}: {damaged.Code}: {damaged.Message}");
            return 0;
        }

        using SqliteEventStore journal = opened;
        board.Check("the journal is whole", true, () => node);
        var jobs = new HashSet<string>(StringComparer.Ordinal);
        long? next = null;
        do
        {
            EntityPage page = await journal.ListAsync("job/", next, PageMax);
            foreach (EntitySummary entity in page.Entities)
            {
                jobs.Add(entity.PersistenceId);
                var manifests = new List<string>();
                await journal.ReplayAsync(entity.PersistenceId, 0, long.MaxValue, long.MaxValue, stored => manifests.Add(stored.Manifest));
                Check(board, $"{node}: {entity.PersistenceId}", entity.LastManifest, manifests);
            }

            next = page.Next;
        }
        while (next is not null);
        await CheckAsync<IArrayEvent>(journal, ArrayId.Prefix, (id, changes) => RecordedChecks.CheckArray(board, $"{node}: {id}", ArrayId.TryParse(id, out ArrayId array) ? array : default, changes));
        await CheckAsync<IWorkflowEvent>(journal, WorkflowId.Prefix, (id, changes) => RecordedChecks.CheckWorkflow(board, $"{node}: {id}", WorkflowId.TryParse(id, out WorkflowId workflow) ? workflow : default, changes));
        await CheckAsync<ICronEvent>(journal, CronId.Prefix, (id, changes) => RecordedChecks.CheckCron(board, $"{node}: {id}", CronId.TryParse(id, out CronId cron) ? cron : default, changes));
        foreach (string id in known)
        {
            board.Check("every job id that was returned is in the journal", jobs.Contains(id), () => $"{node}: {id}");
        }

        return jobs.Count;
    }

    private static async Task CheckAsync<T>(SqliteEventStore journal, string prefix, Action<string, IReadOnlyList<T>> check)
    {
        var serializer = new MeshSerializer(null!);
        EntityPage page = await journal.ListAsync(prefix, null, PageMax);
        foreach (EntitySummary entity in page.Entities)
        {
            var changes = new List<T>();
            bool isWhole = true;
            await journal.ReplayAsync(entity.PersistenceId, 0, long.MaxValue, long.MaxValue, stored =>
            {
                // What stands in a snapshot may have been removed; a soak of minutes does not come so far.
                isWhole &= changes.Count > 0 || stored.SequenceNr == 1;
                changes.Add((T)serializer.FromBinary(stored.Payload, stored.Manifest));
            });
            if (isWhole && changes.Count > 0)
            {
                check(entity.PersistenceId, changes);
            }
        }
    }

    public static void Check(Board board, string job, string last, IReadOnlyList<string> manifests)
    {
        string all = string.Join(", ", manifests);
        board.Check("every job in the journal is at rest", AtRest.Contains(last), () => $"{job}: {all}");
        board.Check("a job is accepted once", manifests.Count(manifest => manifest.StartsWith("job-event.accepted-", StringComparison.Ordinal)) == 1, () => $"{job}: {all}");
        int completed = manifests.ToList().IndexOf("job-event.completed.1");
        board.Check("nothing follows a completion", completed < 0 || completed == manifests.Count - 1, () => $"{job}: {all}");
    }
}
