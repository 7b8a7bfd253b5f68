using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Reach;

/// <summary>Scenario 9 of docs/scenarios.md.</summary>
public sealed class Scenario09(ITestOutputHelper output)
{
    [Fact]
    public Task A_thousand_sessions_rest_cheaply_and_come_back_one_after_the_other() => ScenarioRun.OfAsync(9, output);
}
