using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Reach;

/// <summary>Scenario 5 of docs/scenarios.md.</summary>
public sealed class Scenario05(ITestOutputHelper output)
{
    [Fact]
    public Task What_a_network_swallows_in_silence_stops_nothing_for_long() => ScenarioRun.OfAsync(5, output);
}
