using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Reach;

/// <summary>Scenario 4 of docs/scenarios.md.</summary>
public sealed class Scenario04(ITestOutputHelper output)
{
    [Fact]
    public Task A_beacon_that_was_killed_has_its_devices_again_soon() => ScenarioRun.OfAsync(4, output);
}
