using System.Globalization;
using Xunit.Abstractions;

namespace Simulation.Running;

/// <summary>Runs the seeds of one trial for a test. <c>AGENTMESH_SEEDS</c> runs so many instead.</summary>
internal static class TrialRun
{
    private const int ShownMax = 5;

    public static async Task OfAsync(int number, ITestOutputHelper output)
    {
        SimTrial trial = SimTrial.Of(number);
        int seeds = int.TryParse(Environment.GetEnvironmentVariable("AGENTMESH_SEEDS"), CultureInfo.InvariantCulture, out int asked) ? asked : trial.SeedsInCi;
        SimResult[] results = await Task.WhenAll(Enumerable.Range(1, seeds).Select(seed => WorkerPool.Shared.RunAsync(number, seed)));
        output.WriteLine($"{trial.Name}: seeds 1 to {seeds}, {results.Sum(result => result.Steps)} steps; {Summary.Of(results)}");
        SimResult[] failed = [.. results.Where(result => result.Problem is not null)];
        Assert.True(failed.Length == 0, $"seeds {string.Join(", ", failed.Select(result => result.Seed))} failed:\n{string.Join('\n', failed.Take(ShownMax).Select(result => $"{result.Problem}\nagain: {result.Again}"))}");
    }
}
