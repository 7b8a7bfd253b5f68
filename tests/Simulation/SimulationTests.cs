using System.Globalization;
using Simulation.World;
using Xunit.Abstractions;

namespace Simulation;

/// <summary>
/// Jobs and schedules under kills, cuts, a bad disk and a clock that is set, in virtual time. <c>AGENTMESH_SEEDS=10000</c> runs so many seeds,
/// <c>AGENTMESH_SEED=123</c> that one.
/// </summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private const int Batches = 10;

    private static int Seeds => int.TryParse(Environment.GetEnvironmentVariable("AGENTMESH_SEEDS"), CultureInfo.InvariantCulture, out int seeds) ? seeds : 300;

    public static TheoryData<int> Batch => [.. Enumerable.Range(0, Batches)];

    [Theory]
    [MemberData(nameof(Batch))]
    public void Nothing_acknowledged_is_lost_and_nothing_is_recorded_twice(int batch)
    {
        var faults = new Dictionary<string, int>(StringComparer.Ordinal);
        IEnumerable<int> seeds = int.TryParse(Environment.GetEnvironmentVariable("AGENTMESH_SEED"), CultureInfo.InvariantCulture, out int one)
            ? batch == 0 ? [one] : []
            : Enumerable.Range(1, Seeds).Where(seed => seed % Batches == batch);
        foreach (int seed in seeds)
        {
            var world = new SimWorld(seed);
            try
            {
                world.Run();
            }
            catch (Exception error)
            {
                throw new SeedFailedException(seed, error);
            }

            foreach ((string what, int count) in world.Faults)
            {
                faults[what] = faults.GetValueOrDefault(what) + count;
            }
        }

        output.WriteLine(string.Join(", ", faults.Select(fault => $"{fault.Key}: {fault.Value}")));
    }

    [Fact]
    public void A_seed_gives_the_same_history_again()
    {
        Assert.Equal(TraceOf(7), TraceOf(7));
        Assert.NotEqual(TraceOf(7), TraceOf(8));
    }

    private static (ulong, long) TraceOf(int seed)
    {
        var world = new SimWorld(seed);
        world.Run();
        return (world.Loop.Trace, world.Loop.Steps);
    }

    private sealed class SeedFailedException(int seed, Exception error)
        : Exception($"seed {seed}: {error.Message}\nagain with AGENTMESH_SEED={seed} dotnet test tests/Simulation", error);
}
