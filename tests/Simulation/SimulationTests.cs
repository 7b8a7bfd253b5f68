using Simulation.Running;
using Xunit.Abstractions;

namespace Simulation;

/// <summary>Jobs and schedules of one home under everything at once, and what the simulator itself promises.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    [Theory]
    [MemberData(nameof(Seeds.Of), 0, MemberType = typeof(Seeds))]
    public Task Nothing_acknowledged_is_lost_and_nothing_is_recorded_twice(int first, int last) => TrialRun.OfAsync(0, first, last, output);

    [Theory]
    [InlineData("trial", 0)]
    [InlineData("trial", 4)]
    [InlineData("trial", 6)]
    [InlineData("trial", 7)]
    [InlineData("trial", 13)]
    [InlineData("scenario", 1)]
    [InlineData("scenario", 3)]
    [InlineData("scenario", 5)]
    [InlineData("scenario", 6)]
    [InlineData("scenario", 9)]
    public async Task A_seed_gives_the_same_history_again_in_another_process(string kind, int number)
    {
        using var one = new WorkerPool(1);
        using var other = new WorkerPool(1);
        SimResult[] results = [await one.RunAsync(kind, number, 7), await one.RunAsync(kind, number, 8), await other.RunAsync(kind, number, 8)];

        Assert.Equal((results[1].Trace, results[1].Steps), (results[2].Trace, results[2].Steps));
        Assert.NotEqual(results[0].Trace, results[1].Trace);
    }
}
