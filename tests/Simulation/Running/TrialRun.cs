using System.Globalization;
using Xunit.Abstractions;

namespace Simulation.Running;

/// <summary>Runs the seeds of one trial for a test. <c>AGENTMESH_SEEDS</c> runs so many instead.</summary>
internal static class TrialRun
{
    private const int ShownMax = 5;

    public static async Task OfAsync(int number, int first, int last, ITestOutputHelper output)
    {
        SimTrial trial = SimTrial.Of(SimTrial.Trial, number);
        SimResult[] results = await Task.WhenAll(Enumerable.Range(first, last - first + 1).Select(seed => WorkerPool.Shared.RunAsync(SimTrial.Trial, number, seed)));
        output.WriteLine($"{trial.Name}: seeds {first} to {last}, {results.Sum(result => result.Steps)} steps; {Summary.Of(results)}");
        SimResult[] failed = [.. results.Where(result => result.Problem is not null)];
        Assert.True(failed.Length == 0, $"seeds {string.Join(", ", failed.Select(result => result.Seed))} failed:\n{string.Join('\n', failed.Take(ShownMax).Select(result => $"{result.Problem}\nagain: {result.Again}"))}");
    }
}

/// <summary>The seeds of a trial in parts, each a test of its own: so that one can see how far it is.</summary>
public sealed class Seeds : TheoryData<int, int>
{
    private const int PartMax = 50;

    private Seeds(int count)
    {
        for (int first = 1; first <= count; first += PartMax)
        {
            Add(first, Math.Min(first + PartMax - 1, count));
        }
    }

    public static Seeds Of(int trial) =>
        new(int.TryParse(Environment.GetEnvironmentVariable("AGENTMESH_SEEDS"), CultureInfo.InvariantCulture, out int asked) ? asked : SimTrial.Of(SimTrial.Trial, trial).SeedsInCi);
}
