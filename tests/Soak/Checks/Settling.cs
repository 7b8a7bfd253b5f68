using AgentMesh.Node.Control;
using Soak.Nodes;

namespace Soak.Checks;

/// <summary>Waits, when the faults are over, until things have come to rest, and tries again what gave up because of them.</summary>
internal sealed class Settling(IReadOnlyList<SoakNode> nodes)
{
    private const int RoundsMax = 5;

    private static readonly TimeSpan Within = TimeSpan.FromSeconds(150);
    private static readonly TimeSpan AnswersWithin = TimeSpan.FromSeconds(30);

    private readonly long _began = TimeProvider.System.GetTimestamp();

    private TimeSpan Left => Within - TimeProvider.System.GetElapsedTime(_began) is { } left && left > TimeSpan.FromSeconds(10) ? left : TimeSpan.FromSeconds(10);

    /// <returns>The newest view; null where there never was one.</returns>
    public async Task<T?> UntilAsync<T>(Func<Task<T>> look, Predicate<T> isAtRest)
        where T : class
    {
        T? view = null;
        await MeshChecks.EventuallyAsync(Left, async () => isAtRest(view = await look()));
        return view;
    }

    public Task<JobView?> JobAsync(int home, string id) => UntilAsync(() => nodes[home].JobAsync(id), JobChecks.IsAtRest);

    /// <summary>A job that used up its attempts is tried again.</summary>
    public async Task<JobView?> CompletedJobAsync(int home, string id)
    {
        JobView? job = await JobAsync(home, id);
        for (int round = 0; round < RoundsMax && job is { State: "paused" }; round++)
        {
            await AskAsync(home, $"v1/job/retry?id={Uri.EscapeDataString(id)}", ControlJson.Default.JobView);
            job = await JobAsync(home, id);
        }

        return job;
    }

    public async Task<ArrayView?> ArrayAsync(int home, string id)
    {
        string query = Uri.EscapeDataString(id);
        ArrayView? array = await LookAsync();
        for (int round = 0; round < RoundsMax && array is { State: "failed" }; round++)
        {
            await AskAsync(home, $"v1/array/retry?id={query}", ControlJson.Default.ArrayView);
            array = await LookAsync();
        }

        return array;

        Task<ArrayView?> LookAsync() => UntilAsync(() => nodes[home].Client.GetAsync($"v1/array?id={query}", ControlJson.Default.ArrayView, AnswersWithin), view => view.EndedAt is not null && view.State is not ("running" or "waiting"));
    }

    public async Task<WorkflowView?> WorkflowAsync(int home, string id)
    {
        string query = Uri.EscapeDataString(id);
        WorkflowView? workflow = await LookAsync();
        for (int round = 0; round < RoundsMax && workflow is { State: "paused" }; round++)
        {
            await AskAsync(home, $"v1/workflow/resume?id={query}", ControlJson.Default.WorkflowView);
            workflow = await LookAsync();
        }

        return workflow;

        Task<WorkflowView?> LookAsync() => UntilAsync(
            () => nodes[home].Client.GetAsync($"v1/workflow?id={query}", ControlJson.Default.WorkflowView, AnswersWithin),
            view => view.State is "completed" or "cancelled" || (view.State == "paused" && view.Steps.All(step => step.State != "running")));
    }

    /// <summary>Until a home has no job that is under way, also such as nobody was told of.</summary>
    /// <returns>What is under way still.</returns>
    public async Task<IReadOnlyList<string>> IdleAsync(int home)
    {
        IReadOnlyList<string> busy = [];
        await MeshChecks.EventuallyAsync(Left, async () =>
        {
            var found = new List<string>();
            foreach (string state in (string[])["queued", "placing", "running", "retrying"])
            {
                JobPage page = await nodes[home].Client.GetAsync($"v1/jobs?limit=20&state={state}", ControlJson.Default.JobPage, AnswersWithin);
                found.AddRange(page.Jobs.Select(job => $"{job.Id} is {job.State}: {job.Reason}"));
            }

            busy = found;
            return found.Count == 0;
        });
        return busy;
    }

    public Task<T?> AskAsync<T>(int home, string path, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class => UntilAsync(() => nodes[home].Client.PostAsync(path, type, AnswersWithin), _ => true);
}
