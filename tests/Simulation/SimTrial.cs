using Simulation.Engine;
using Simulation.Pipes;
using Simulation.Reach;
using Simulation.Running;
using Simulation.Trials;
using Simulation.World;

namespace Simulation;

/// <summary>One of the trials of docs/trials.md, or one of the scenarios of docs/scenarios.md.</summary>
/// <param name="SeedsInCi">As many as fit into the time that the tests have.</param>
internal sealed record SimTrial(int Number, string Name, int SeedsInCi, Func<int, Action<string>?, ISimulated> World)
{
    public const string Trial = "trial";

    public const string Scenario = "scenario";

    public string Kind { get; init; } = Trial;

    /// <summary>What must hold of the values that all seeds measured together. What must hold of each seed, its world asserts.</summary>
    public IReadOnlyList<Bar> Bars { get; init; } = [];

    public static IReadOnlyList<SimTrial> All { get; } =
    [
        new(0, "everything at a home at once", 100, (seed, told) => new SimWorld(seed, SimFaults.All, told)),
        new(1, "killed between commit and reply", 300, (seed, told) => new SimWorld(seed, SimFaults.KilledAtCommit | SimFaults.Loss, told)),
        new(2, "files of the journal cut, torn, with a bit flipped", 300, (seed, told) => new DamagedFilesWorld(seed, told)),
        new(3, "a stopped device goes on as if nothing had been", 300, (seed, told) => new StoppedWorld(seed, told)),
        new(4, "split in two", 300, (seed, told) => new SplitWorld(seed, told)),
        new(5, "partial and one-way partitions", 300, (seed, told) => new PartialWorld(seed, told)),
        new(6, "restart of every node in turn", 300, (seed, told) => new RollingWorld(seed, told)),
        new(7, "hand-off of a pool's shards broken at any step", 300, (seed, told) => new HandOffWorld(seed, told)),
        new(8, "a journal that refuses, is slow, loses answers", 300, (seed, told) => new SimWorld(seed, SimFaults.DiskSequence | SimFaults.DiskTrouble, told)),
        new(9, "the whole mesh restarts with much to remember", 300, (seed, told) => new AllRestartWorld(seed, told)),
        new(10, "workers and home die in the middle of jobs", 300, (seed, told) => new SimWorld(seed, SimFaults.HomeKilled | SimFaults.DeviceKilled, told)),
        new(11, "clocks jump and stand still", 300, (seed, told) => new SimWorld(seed, SimFaults.ClockSet | SimFaults.HomeStopped | SimFaults.HomeKilled, told)),
        new(12, "a burst, and a job whose events cannot be read", 300, (seed, told) => new BurstWorld(seed, told)),
        new(13, "pipes whose devices and lines fail", 300, (seed, told) => new PipesWorld(seed, told)),
        new(14, "devices that rest, and one that goes", 100, (seed, told) => new IdleWorld(seed, told)) { Bars = IdleWorld.Bars },
    ];

    public static SimTrial Of(string kind, int number) => (kind == Trial ? All : Scenarios.All).First(trial => trial.Number == number);
}
