using AgentMesh.Cli.Client;
using AgentMesh.Cli.Verbs;
using AgentMesh.Errors;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Repl;

/// <summary>The jobs of this device that are under way, for a look at them from the prompt.</summary>
internal sealed class JobPanel(ControlClient client)
{
    private const int LookedAt = 200;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public IReadOnlyList<string> Lines()
    {
        using var late = new CancellationTokenSource(Patience);
        try
        {
            JobPage page = client.GetAsync($"v1/jobs?limit={LookedAt}", ControlJson.Default.JobPage, late.Token).GetAwaiter().GetResult();
            WatchedJob[] jobs = [.. page.Jobs.Select(WatchedJob.Of).Concat(page.Arrays.Select(WatchedJob.Of)).Where(job => !job.IsAtRest).OrderBy(job => job.CreatedAt)];
            return jobs.Length == 0 ? ["no job is under way"] : WatchedJob.Panel(jobs, TimeProvider.System.GetUtcNow());
        }
        catch (Exception error) when (error is MeshException or OperationCanceledException)
        {
            return ["the node does not answer"];
        }
    }
}
