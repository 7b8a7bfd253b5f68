using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Trials;

/// <summary>Trial 2 of docs/trials.md.</summary>
public sealed class Trial02(ITestOutputHelper output)
{
    [Fact]
    public Task Files_that_were_cut_torn_or_changed_are_whole_or_refused() => TrialRun.OfAsync(2, output);
}
