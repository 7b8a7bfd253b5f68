using System.Globalization;
using Simulation.Engine;

namespace Simulation.Running;

/// <summary>
/// A process that runs worlds, one after the other: a line with kind, number and seed in, a line with the result out. Its thread pool has one thread, so that
/// asynchronous code too does one thing after the other, in an order that follows from the seed.
/// </summary>
internal static class Worker
{
    public static int Run()
    {
        ThreadPool.SetMinThreads(1, 1);
        if (!ThreadPool.SetMaxThreads(1, 1))
        {
            Console.Error.WriteLine("start it with DOTNET_PROCESSOR_COUNT=1: the thread pool is to have one thread");
            return 2;
        }

        while (Console.In.ReadLine() is { } line)
        {
            string[] words = line.Split(' ');
            int seed = int.Parse(words[2], CultureInfo.InvariantCulture);
            SimTrial trial = SimTrial.Of(words[0], int.Parse(words[1], CultureInfo.InvariantCulture));
            Console.Out.WriteLine(Run(trial, seed, words.Length > 3 ? Console.Error.WriteLine : null).ToLine());
        }

        return 0;
    }

    private static SimResult Run(SimTrial trial, int seed, Action<string>? told)
    {
        ISimulated world = trial.World(seed, told);
        string? problem = null;
        try
        {
            world.Run();
        }
        catch (Exception error)
        {
            problem = error is RuleBrokenException or Xunit.Sdk.XunitException ? error.Message : error.ToString();
        }
        finally
        {
            SimMachine.ForgetAll();
        }

        return new SimResult(trial.Kind, trial.Number, seed, world.Trace, world.Steps, world.Counts, world.Measured, problem);
    }
}
