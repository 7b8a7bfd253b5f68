using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Trials;

/// <summary>Trial 9 of docs/trials.md.</summary>
public sealed class Trial09(ITestOutputHelper output)
{
    [Theory]
    [MemberData(nameof(Seeds.Of), 9, MemberType = typeof(Seeds))]
    public Task A_whole_mesh_with_much_to_remember_comes_back(int first, int last) => TrialRun.OfAsync(9, first, last, output);
}
