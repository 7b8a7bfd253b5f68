using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Trials;

/// <summary>Trial 1 of docs/trials.md.</summary>
public sealed class Trial01(ITestOutputHelper output)
{
    [Theory]
    [MemberData(nameof(Seeds.Of), 1, MemberType = typeof(Seeds))]
    public Task A_commit_whose_reply_was_lost_is_applied_once(int first, int last) => TrialRun.OfAsync(1, first, last, output);
}
