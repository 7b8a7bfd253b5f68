using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Reach;

/// <summary>Scenario 8 of docs/scenarios.md.</summary>
public sealed class Scenario08(ITestOutputHelper output)
{
    [Fact]
    public Task Addresses_that_lead_nowhere_or_to_somebody_else_cost_no_session() => ScenarioRun.OfAsync(8, output);
}
