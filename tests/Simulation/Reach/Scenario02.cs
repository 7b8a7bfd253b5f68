using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Reach;

/// <summary>Scenario 2 of docs/scenarios.md.</summary>
public sealed class Scenario02(ITestOutputHelper output)
{
    [Fact]
    public Task A_transfer_goes_on_when_devices_change_their_networks() => ScenarioRun.OfAsync(2, output);
}
