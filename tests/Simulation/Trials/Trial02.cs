using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Trials;

/// <summary>Trial 2 of docs/trials.md.</summary>
public sealed class Trial02(ITestOutputHelper output)
{
    [Theory]
    [MemberData(nameof(Seeds.Of), 2, MemberType = typeof(Seeds))]
    public Task Files_that_were_cut_torn_or_changed_are_whole_or_refused(int first, int last) => TrialRun.OfAsync(2, first, last, output);
}
