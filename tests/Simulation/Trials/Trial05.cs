using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Trials;

/// <summary>Trial 5 of docs/trials.md.</summary>
public sealed class Trial05(ITestOutputHelper output)
{
    [Fact]
    public Task Devices_that_hear_each_other_work_together_whatever_a_third_hears() => TrialRun.OfAsync(5, output);
}
