using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Trials;

/// <summary>Trial 5 of docs/trials.md.</summary>
public sealed class Trial05(ITestOutputHelper output)
{
    [Theory]
    [MemberData(nameof(Seeds.Of), 5, MemberType = typeof(Seeds))]
    public Task Devices_that_hear_each_other_work_together_whatever_a_third_hears(int first, int last) => TrialRun.OfAsync(5, first, last, output);
}
