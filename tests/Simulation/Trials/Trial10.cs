using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Trials;

/// <summary>Trial 10 of docs/trials.md.</summary>
public sealed class Trial10(ITestOutputHelper output)
{
    [Theory]
    [MemberData(nameof(Seeds.Of), 10, MemberType = typeof(Seeds))]
    public Task Jobs_whose_device_or_home_dies_end_once(int first, int last) => TrialRun.OfAsync(10, first, last, output);
}
