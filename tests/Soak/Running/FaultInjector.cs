using Soak.Nodes;
using Soak.Planning;

namespace Soak.Running;

internal sealed class FaultInjector(SoakPlan plan, IReadOnlyList<SoakNode> nodes, HubNetwork? network, RunClock clock, History history, Action<string> say)
{
    private const int StartsMax = 3;

    private readonly SemaphoreSlim[] _turns = [.. nodes.Select(_ => new SemaphoreSlim(1))];

    /// <summary>Until the last fault is over and every node is up.</summary>
    public Task RunAsync(CancellationToken cancel) => Task.WhenAll(plan.Faults.Select(fault => InjectAsync(fault, cancel)));

    private async Task InjectAsync(Fault fault, CancellationToken cancel)
    {
        await clock.UntilAsync(fault.At, cancel);
        if (fault.Kind == FaultKind.Cut)
        {
            await CutAsync(fault, cancel);
            return;
        }

        await _turns[fault.Node].WaitAsync(cancel);
        try
        {
            SoakNode node = nodes[fault.Node];
            TimeSpan began = clock.Now;
            say($"{fault.What} for {fault.Duration.TotalSeconds:0.0} s");
            string? problem = fault.Kind == FaultKind.Stop ? await StopAsync(node, fault.Duration, cancel) : await RestartAsync(node, fault, cancel);
            history.Faults.Enqueue(new FaultRun(fault, began, clock.Now, problem));
            if (problem is not null)
            {
                say($"{node.Name}: {problem}");
            }
        }
        finally
        {
            _turns[fault.Node].Release();
        }
    }

    private async Task CutAsync(Fault fault, CancellationToken cancel)
    {
        TimeSpan began = clock.Now;
        say($"{fault.What} for {fault.Duration.TotalSeconds:0.0} s");
        foreach ((int from, int to) in fault.Cuts)
        {
            network!.Cut(from, to);
        }

        try
        {
            await Task.Delay(fault.Duration, cancel);
        }
        finally
        {
            foreach ((int from, int to) in fault.Cuts)
            {
                network!.Mend(from, to);
            }
        }

        history.Faults.Enqueue(new FaultRun(fault, began, clock.Now, null));
    }

    private static async Task<string?> StopAsync(SoakNode node, TimeSpan duration, CancellationToken cancel)
    {
        if (node.Process is not { } process)
        {
            return "no process to stop: the node has ended by itself";
        }

        ProcessFacts.Signal(process, ProcessFacts.SigStop);
        try
        {
            await Task.Delay(duration, cancel);
        }
        finally
        {
            ProcessFacts.Signal(process, ProcessFacts.SigCont);
        }

        return null;
    }

    private static async Task<string?> RestartAsync(SoakNode node, Fault fault, CancellationToken cancel)
    {
        string? problem = node.Process is null ? "no process to end: the node has ended by itself" : null;
        if (fault.Kind == FaultKind.Down)
        {
            problem ??= await node.EndAsync() is { } notEnded ? "did not end: " + notEnded : null;
        }

        // Also what an orderly end has left.
        await node.KillAsync();
        await Task.Delay(fault.Duration, cancel);
        for (int i = 0; i < StartsMax; i++)
        {
            string? notStarted = await node.StartAsync();
            if (notStarted is null)
            {
                break;
            }

            problem ??= "did not start: " + notStarted;
            await node.KillAsync();
        }

        return problem;
    }
}
