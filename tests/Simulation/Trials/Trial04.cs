using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Trials;

/// <summary>Trial 4 of docs/trials.md.</summary>
public sealed class Trial04(ITestOutputHelper output)
{
    [Theory]
    [MemberData(nameof(Seeds.Of), 4, MemberType = typeof(Seeds))]
    public Task Both_halves_of_a_split_go_on_and_become_one_again(int first, int last) => TrialRun.OfAsync(4, first, last, output);
}
