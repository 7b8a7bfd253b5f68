using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Trials;

/// <summary>Trial 11 of docs/trials.md.</summary>
public sealed class Trial11(ITestOutputHelper output)
{
    [Fact]
    public Task Schedules_fire_once_per_nominal_time_whatever_clocks_do() => TrialRun.OfAsync(11, output);
}
