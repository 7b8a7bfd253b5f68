using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Reach;

/// <summary>Scenario 10 of docs/scenarios.md.</summary>
public sealed class Scenario10(ITestOutputHelper output)
{
    [Fact]
    public Task A_million_messages_come_in_order_while_paths_come_and_go() => ScenarioRun.OfAsync(10, output);
}
