using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Trials;

/// <summary>Trial 6 of docs/trials.md.</summary>
public sealed class Trial06(ITestOutputHelper output)
{
    [Fact]
    public Task A_restart_of_every_node_in_turn_loses_nothing() => TrialRun.OfAsync(6, output);
}
