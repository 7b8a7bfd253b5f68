using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Trials;

/// <summary>Trial 1 of docs/trials.md.</summary>
public sealed class Trial01(ITestOutputHelper output)
{
    [Fact]
    public Task A_commit_whose_reply_was_lost_is_applied_once() => TrialRun.OfAsync(1, output);
}
