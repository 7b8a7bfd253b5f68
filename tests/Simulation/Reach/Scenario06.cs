using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Reach;

/// <summary>Scenario 6 of docs/scenarios.md.</summary>
public sealed class Scenario06(ITestOutputHelper output)
{
    [Fact]
    public Task Links_that_lose_are_filled_and_shared() => ScenarioRun.OfAsync(6, output);
}
