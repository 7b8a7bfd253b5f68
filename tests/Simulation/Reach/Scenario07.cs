using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Reach;

/// <summary>Scenario 7 of docs/scenarios.md.</summary>
public sealed class Scenario07(ITestOutputHelper output)
{
    [Fact]
    public Task Attacks_end_no_session_win_no_code_and_reach_no_victim() => ScenarioRun.OfAsync(7, output);
}
