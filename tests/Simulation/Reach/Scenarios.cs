namespace Simulation.Reach;

/// <summary>
/// The scenarios of docs/scenarios.md. To add one: a world that derives from <see cref="ReachWorld"/> and asserts what must hold of each seed, a line
/// here with the bars that hold of all seeds together, and a class ScenarioNN with one test.
/// </summary>
internal static class Scenarios
{
    public static IReadOnlyList<SimTrial> All { get; } =
    [
        new(1, "grid of NATs", 200, (seed, told) => new NatGridWorld(seed, told)) { Kind = SimTrial.Scenario, Bars = NatGridWorld.Bars },
        new(2, "roaming", 200, (seed, told) => new RoamingWorld(seed, told)) { Kind = SimTrial.Scenario, Bars = RoamingWorld.Bars },
        new(3, "death of mappings", 200, (seed, told) => new MappingDeathWorld(seed, told)) { Kind = SimTrial.Scenario, Bars = MappingDeathWorld.Bars },
        new(4, "beacon killed and restarted", 200, (seed, told) => new BeaconRestartWorld(seed, told)) { Kind = SimTrial.Scenario, Bars = BeaconRestartWorld.Bars },
        new(5, "black holes", 200, (seed, told) => new BlackHoleWorld(seed, told)) { Kind = SimTrial.Scenario, Bars = BlackHoleWorld.Bars },
        new(6, "links that lose", 200, (seed, told) => new Loss.LossLadderWorld(seed, told)) { Kind = SimTrial.Scenario, Bars = Loss.LossLadderWorld.Bars },
        new(7, "attacks", 200, (seed, told) => new AttackWorld(seed, told)) { Kind = SimTrial.Scenario, Bars = AttackWorld.Bars },
        new(8, "traps", 200, (seed, told) => new TrapsWorld(seed, told)) { Kind = SimTrial.Scenario, Bars = TrapsWorld.Bars },
        new(9, "a crowd", 200, (seed, told) => new CrowdWorld(seed, told)) { Kind = SimTrial.Scenario, Bars = CrowdWorld.Bars },
        new(10, "an hour of flaps", 200, (seed, told) => new HourWorld(seed, told)) { Kind = SimTrial.Scenario, Bars = HourWorld.Bars },
    ];
}
