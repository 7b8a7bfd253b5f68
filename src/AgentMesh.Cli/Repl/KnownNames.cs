using AgentMesh.Cli.Client;
using AgentMesh.Errors;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Repl;

/// <summary>What there is at the moment to be named in a line.</summary>
internal interface IKnownNames
{
    IReadOnlyList<PeerView> Peers { get; }

    /// <summary>Short ids of jobs and arrays.</summary>
    IReadOnlyList<string> Jobs { get; }

    /// <summary>Short ids.</summary>
    IReadOnlyList<string> Workflows { get; }

    IReadOnlyList<string> Schedules { get; }

    IReadOnlyList<string> Groups { get; }
}

/// <summary>Asks the node, which must answer at once: somebody has pressed Tab.</summary>
internal sealed class KnownNames(ControlClient client) : IKnownNames
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    public IReadOnlyList<PeerView> Peers => Ask(cancel => client.GetAsync("v1/peers", ControlJson.Default.IReadOnlyListPeerView, cancel)) ?? [];

    public IReadOnlyList<string> Jobs =>
        Ask(cancel => client.GetAsync("v1/jobs?limit=50", ControlJson.Default.JobPage, cancel)) is { } page ? [.. page.Jobs.Select(job => job.ShortId), .. page.Arrays.Select(array => array.ShortId)] : [];

    public IReadOnlyList<string> Workflows =>
        [.. (Ask(cancel => client.GetAsync("v1/workflows?limit=50", ControlJson.Default.IReadOnlyListWorkflowView, cancel)) ?? []).Select(workflow => workflow.ShortId)];

    public IReadOnlyList<string> Schedules => [.. (Ask(cancel => client.GetAsync("v1/crons", ControlJson.Default.IReadOnlyListCronView, cancel)) ?? []).Select(cron => cron.Name)];

    public IReadOnlyList<string> Groups => [.. (Ask(cancel => client.GetAsync("v1/groups", ControlJson.Default.IReadOnlyListGroupView, cancel)) ?? []).Select(group => group.Name)];

    private static T? Ask<T>(Func<CancellationToken, Task<T>> ask)
        where T : class
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            return ask(patience.Token).GetAwaiter().GetResult();
        }
        catch (Exception error) when (error is MeshException or OperationCanceledException)
        {
            return null;
        }
    }
}
