using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Trials;

/// <summary>Trial 11 of docs/trials.md.</summary>
public sealed class Trial11(ITestOutputHelper output)
{
    [Theory]
    [MemberData(nameof(Seeds.Of), 11, MemberType = typeof(Seeds))]
    public Task Schedules_fire_once_per_nominal_time_whatever_clocks_do(int first, int last) => TrialRun.OfAsync(11, first, last, output);
}
