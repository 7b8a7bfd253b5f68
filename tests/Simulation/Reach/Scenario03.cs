using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Reach;

/// <summary>Scenario 3 of docs/scenarios.md.</summary>
public sealed class Scenario03(ITestOutputHelper output)
{
    [Fact]
    public Task Ports_that_a_NAT_takes_back_stop_nothing_for_more_than_a_second() => ScenarioRun.OfAsync(3, output);
}
