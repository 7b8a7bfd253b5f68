using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Trials;

/// <summary>Trial 6 of docs/trials.md.</summary>
public sealed class Trial06(ITestOutputHelper output)
{
    [Theory]
    [MemberData(nameof(Seeds.Of), 6, MemberType = typeof(Seeds))]
    public Task A_restart_of_every_node_in_turn_loses_nothing(int first, int last) => TrialRun.OfAsync(6, first, last, output);
}
