using System.Globalization;
using Xunit.Abstractions;

namespace Simulation.Running;

/// <summary>
/// Runs the seeds of one scenario for a test, all in one, as bars are percentiles over all of them. <c>AGENTMESH_SEEDS</c> runs so many instead.
/// </summary>
internal static class ScenarioRun
{
    private const int ShownMax = 5;

    public static async Task OfAsync(int number, ITestOutputHelper output)
    {
        SimTrial scenario = SimTrial.Of(SimTrial.Scenario, number);
        int seeds = int.TryParse(Environment.GetEnvironmentVariable("AGENTMESH_SEEDS"), CultureInfo.InvariantCulture, out int asked) ? asked : scenario.SeedsInCi;
        SimResult[] results = await Task.WhenAll(Enumerable.Range(1, seeds).Select(seed => WorkerPool.Shared.RunAsync(SimTrial.Scenario, number, seed)));
        output.WriteLine($"{scenario.Name}: seeds 1 to {seeds}, {results.Sum(result => result.Steps)} steps; {Summary.Of(results)}");
        foreach (string line in Percentiles.Of(results))
        {
            output.WriteLine(line);
        }

        SimResult[] failed = [.. results.Where(result => result.Problem is not null)];
        Assert.True(failed.Length == 0, $"seeds {string.Join(", ", failed.Select(result => result.Seed))} failed:\n{string.Join('\n', failed.Take(ShownMax).Select(result => $"{result.Problem}\nagain: {result.Again}"))}");
        string[] missed = [.. scenario.Bars.Select(bar => bar.Check(results)).OfType<string>()];
        Assert.True(missed.Length == 0, string.Join('\n', missed));
    }
}
