using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation.Trials;

/// <summary>Trial 9 of docs/trials.md.</summary>
public sealed class Trial09(ITestOutputHelper output)
{
    [Fact]
    public Task A_whole_mesh_with_much_to_remember_comes_back() => TrialRun.OfAsync(9, output);
}
