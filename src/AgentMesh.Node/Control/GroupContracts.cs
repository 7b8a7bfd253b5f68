namespace AgentMesh.Node.Control;

/// <summary>POST /v1/groups: what is null stays as it is; a group that nobody has set before has no limit and is not paused.</summary>
/// <param name="Max">Jobs that run at the same time, 1 to 1,000.</param>
/// <param name="LiftMax">Takes the limit away.</param>
/// <param name="Paused">None begins; those that run go on.</param>
/// <param name="Home">A pool, or "device"; null for the setting agentmesh.jobs.home.</param>
public sealed record GroupRequest(string Name, int? Max = null, bool LiftMax = false, bool? Paused = null, string? Home = null);

/// <summary>A group of jobs of this device.</summary>
/// <param name="Max">Null for no limit but that of every group, 1,000.</param>
/// <param name="IsSet">False for one that is known by its jobs only.</param>
/// <param name="Running">Jobs that have their turn: from before their first attempt until they have come to rest.</param>
/// <param name="Jobs">Short ids of the first 100 of them.</param>
/// <param name="Waiting">Jobs whose device is there and whose turn has not come.</param>
/// <param name="Granted">Turns since the group was first used.</param>
/// <param name="Pool">The pool whose jobs it counts; null for this device.</param>
public sealed record GroupView(string Name, int? Max, bool Paused, bool IsSet, int Running, IReadOnlyList<string> Jobs, int Waiting, long Granted, string? Pool = null);

/// <summary>POST /v1/group/remove.</summary>
public sealed record GroupRemovedView(string Name);
