using Soak.Nodes;

namespace Soak.Running;

/// <summary>Looks at the processes of the nodes every few seconds.</summary>
internal sealed class MemoryWatch(IReadOnlyList<SoakNode> nodes, RunClock clock, History history)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    public async Task RunAsync(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            foreach (SoakNode node in nodes)
            {
                if (node.Process is { } process && ProcessFacts.Sample(process, clock.Now) is { } sample)
                {
                    history.Memory.GetOrAdd((node.Name, process), _ => []).Enqueue(sample);
                }
            }

            await Task.Delay(Every, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
