using System.Globalization;
using Simulation.Reach;

namespace Simulation.Running;

/// <summary><c>./agentmesh simulate</c>.</summary>
internal sealed class CommandLineRun(string[] args)
{
    private const int ShownMax = 10;

    public async Task<int> RunAsync()
    {
        int? seeds = null, seed = null;
        IReadOnlyList<SimTrial> chosen = [.. SimTrial.All, .. Scenarios.All];
        for (int i = 0; i < args.Length; i += 2)
        {
            if (i + 1 == args.Length || !int.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out int number))
            {
                return Usage($"{args[i]} needs a number");
            }

            switch (args[i])
            {
                case "--trial" when SimTrial.All.Any(each => each.Number == number): chosen = [SimTrial.Of(SimTrial.Trial, number)]; break;
                case "--scenario" when Scenarios.All.Any(each => each.Number == number): chosen = [SimTrial.Of(SimTrial.Scenario, number)]; break;
                case "--seeds": seeds = number; break;
                case "--seed": seed = number; break;
                case "--trial": return Usage($"there is no trial {number} in the simulator; there are {Numbers(SimTrial.All)}");
                case "--scenario": return Usage($"there is no scenario {number} in the simulator; there are {Numbers(Scenarios.All)}");
                default: return Usage($"'{args[i]}' is no option");
            }
        }

        bool isWell = true;
        foreach (SimTrial each in chosen)
        {
            IEnumerable<int> which = seed is { } one ? [one] : Enumerable.Range(1, seeds ?? each.SeedsInCi);
            isWell &= await RunAsync(each, [.. which], isTold: seed is not null && chosen.Count == 1);
        }

        return isWell ? 0 : 1;
    }

    private static async Task<bool> RunAsync(SimTrial trial, int[] seeds, bool isTold)
    {
        long began = TimeProvider.System.GetTimestamp();
        var results = new List<SimResult>(seeds.Length);

        // Not all at once: with 10,000 seeds each would be a task that waits.
        foreach (int[] part in seeds.Chunk(WorkerPool.Shared.Count * 50))
        {
            results.AddRange(await Task.WhenAll(part.Select(seed => WorkerPool.Shared.RunAsync(trial.Kind, trial.Number, seed, isTold))));
        }

        SimResult[] failed = [.. results.Where(result => result.Problem is not null)];
        double seconds = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{trial.Kind} {trial.Number}, {trial.Name}: seeds {seeds[0]} to {seeds[^1]}, {failed.Length} failed, {results.Sum(result => result.Steps):N0} steps, {seconds:0.0} s"));
        foreach (string line in Percentiles.Of(results).Prepend(Summary.Of(results)).Where(line => line.Length > 0))
        {
            Console.WriteLine("  " + line);
        }

        foreach (SimResult result in failed.Take(ShownMax))
        {
            Console.WriteLine($"  seed {result.Seed}: {result.Problem}\n  again: {result.Again}");
        }

        if (failed.Length > ShownMax)
        {
            Console.WriteLine($"  and seeds {string.Join(", ", failed.Skip(ShownMax).Select(result => result.Seed))}");
        }

        string[] missed = [.. trial.Bars.Select(bar => bar.Check(results)).OfType<string>()];
        foreach (string bar in missed)
        {
            Console.WriteLine("  " + bar);
        }

        return failed.Length == 0 && missed.Length == 0;
    }

    private static string Numbers(IEnumerable<SimTrial> among) => string.Join(", ", among.Select(each => each.Number));

    private static int Usage(string problem)
    {
        Console.Error.WriteLine($"simulate: {problem}\nsimulate [--trial N | --scenario N] [--seeds COUNT | --seed NUMBER]");
        return 255;
    }
}
