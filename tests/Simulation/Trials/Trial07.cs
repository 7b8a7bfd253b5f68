using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Trials;

/// <summary>Trial 7 of docs/trials.md.</summary>
public sealed class Trial07(ITestOutputHelper output)
{
    [Theory]
    [MemberData(nameof(Seeds.Of), 7, MemberType = typeof(Seeds))]
    public Task A_hand_off_that_is_broken_at_any_step_leaves_the_shard_available(int first, int last) => TrialRun.OfAsync(7, first, last, output);
}
