using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Trials;

/// <summary>Trial 3 of docs/trials.md.</summary>
public sealed class Trial03(ITestOutputHelper output)
{
    [Theory]
    [MemberData(nameof(Seeds.Of), 3, MemberType = typeof(Seeds))]
    public Task What_a_stopped_device_still_believed_changes_nothing(int first, int last) => TrialRun.OfAsync(3, first, last, output);
}
