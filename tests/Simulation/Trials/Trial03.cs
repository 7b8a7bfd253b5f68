using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Trials;

/// <summary>Trial 3 of docs/trials.md.</summary>
public sealed class Trial03(ITestOutputHelper output)
{
    [Fact]
    public Task What_a_stopped_device_still_believed_changes_nothing() => TrialRun.OfAsync(3, output);
}
