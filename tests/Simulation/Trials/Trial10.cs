using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Trials;

/// <summary>Trial 10 of docs/trials.md.</summary>
public sealed class Trial10(ITestOutputHelper output)
{
    [Fact]
    public Task Jobs_whose_device_or_home_dies_end_once() => TrialRun.OfAsync(10, output);
}
