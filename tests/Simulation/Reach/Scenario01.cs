using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Reach;

/// <summary>Scenario 1 of docs/scenarios.md.</summary>
public sealed class Scenario01(ITestOutputHelper output)
{
    [Fact]
    public Task Data_flows_at_once_and_directly_within_its_bar() => ScenarioRun.OfAsync(1, output);
}
