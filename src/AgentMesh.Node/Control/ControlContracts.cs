using System.Text.Json.Serialization;

namespace AgentMesh.Node.Control;

// What the control API takes and gives, as JSON with camelCase names. Documented in docs/control-api.md; fields are only added.
// Times are ISO 8601 in UTC, durations and round trips are milliseconds, sizes are bytes. A field that is null is unknown.

/// <summary>GET /v1/status.</summary>
/// <param name="Durability">The level that acknowledged jobs have, for example "SQLite WAL synchronous=FULL".</param>
public sealed record StatusView(
    string Name,
    string Id,
    string Version,
    string Engine,
    int ProcessId,
    DateTimeOffset StartedAt,
    string DataDirectory,
    IReadOnlyList<string> Addresses,
    string Durability,
    int Generation,
    IReadOnlyList<MemberView> Members,
    int PeersKnown,
    int PeersConnected,
    int AttemptsRunning,
    long MemoryBytes,
    IReadOnlyList<BeaconView>? Beacons = null,
    PoolView? Pool = null)
{
    /// <summary>Null from an older node.</summary>
    public ConnectionsView? Connections { get; init; }

    /// <summary>Null from an older node.</summary>
    public PathSumView? Paths { get; init; }

    /// <summary>Null where no port is to be mapped.</summary>
    public GatewayView? Gateway { get; init; }

    /// <summary>Null where no beacon has told anything.</summary>
    public NatView? Nat { get; init; }

    /// <summary>The STUN servers of the settings; null without any.</summary>
    public IReadOnlyList<StunView>? Stun { get; init; }

    /// <summary>Null where this node is no beacon beside.</summary>
    public BeaconRoleView? BeaconRole { get; init; }

    /// <summary>Null from an older node.</summary>
    public DiscoveryView? Discovery { get; init; }

    /// <summary>The TURN servers of the settings; null without any.</summary>
    public IReadOnlyList<TurnView>? Turn { get; init; }

    /// <summary>What is wrong with the key of this device; null where nothing is known to be.</summary>
    public ProblemView? Key { get; init; }

    /// <summary>The whole path of the configuration file that this node read when it was started; empty where there was none, null from an older node.</summary>
    public string? SettingsFile { get; init; }
}

/// <summary>The pool of this device, as its database tells it.</summary>
/// <param name="Database">Database and host; nothing secret.</param>
/// <param name="ShardsHeld">Shards of entities that this member owns.</param>
/// <param name="EpochMax">The newest epoch of those.</param>
/// <param name="Members">Those whose lease runs, and those that went without a goodbye within the last day.</param>
/// <param name="Problem">Why this device cannot act as a member now; null while it can.</param>
public sealed record PoolView(string Name, string Database, int ShardsHeld, long EpochMax, IReadOnlyList<PoolMemberView> Members, ProblemView? Problem);

/// <param name="LeaseLeftMs">By the clock of the database; 0 or less: others may take its shards.</param>
public sealed record PoolMemberView(string Id, string Name, double LeaseLeftMs, int Shards, long EpochMax, DateTimeOffset StartedAt);

/// <summary>A beacon of this device.</summary>
/// <param name="SeenAt">The address at which it sees this device; null while this device is not registered there, or by a WebSocket.</param>
/// <param name="Devices">Devices that can be reached through it now.</param>
/// <param name="Transport">udp, or wss where UDP gets no answer; null while this device is not registered there.</param>
/// <param name="Attempts">To reach it since the node started; of them so many with a WebSocket.</param>
/// <param name="Dropped">Datagrams that it dropped because this device sent more than it relays.</param>
public sealed record BeaconView(string Address, string? SeenAt, int Devices, long Dropped, ProblemView? Problem, string? Transport = null, long Attempts = 0, long WebSockets = 0);

/// <param name="Status">joining, weaklyup, up, leaving, exiting or down.</param>
public sealed record MemberView(string Id, string? Name, string Status, bool Reachable);

/// <summary>GET /v1/peers. <paramref name="Index"/> is stable as long as the node runs.</summary>
/// <param name="State">disconnected, connecting, connected or failed; the local device is "connected".</param>
/// <param name="Path">local, direct, "relay via HOST:PORT" (a beacon), "relay/wss via HOST:PORT" (a beacon over a WebSocket) "relay/turn via HOST" (a TURN server) or "relay/peer via NAME" (a device of the mesh).</param>
/// <param name="Grants">What that device may do here.</param>
/// <param name="RelayedCode">Why the path is relayed, as listed in docs/nat.md; null where it is not.</param>
/// <param name="RelayedReason">The same for people.</param>
/// <param name="Resources">What it has and what is free; null while it is not connected, or of a version that does not tell.</param>
public sealed record PeerView(
    int Index,
    string Name,
    string Id,
    bool IsLocal,
    string State,
    string? Address,
    string? Path,
    double? RoundTripMs,
    double? LossRatio,
    DateTimeOffset? LastSeen,
    string? Platform,
    string? HostName,
    string? Version,
    bool IsMember,
    IReadOnlyList<string> Capabilities,
    IReadOnlyList<string> Grants,
    string? Problem,
    IReadOnlyList<string> Labels,
    string? RelayedCode = null,
    string? RelayedReason = null,
    IReadOnlyList<ResourceView>? Resources = null)
{
    /// <summary>Every path that is known, the one in use first; null while it is not connected, or from an older node.</summary>
    public IReadOnlyList<PathView>? Paths { get; init; }

    /// <summary>The error behind <see cref="Problem"/>; null where there is none, or nothing answered at all.</summary>
    public string? ProblemCode { get; init; }
}

/// <summary>Something of a device that jobs use up while they run; memory in bytes.</summary>
public sealed record ResourceView(string Name, decimal Total, decimal Free);

/// <summary>POST /v1/commands: one line as typed, for example <c>@gpu calc 1+2</c>, or a target with an argument vector.</summary>
/// <param name="Arguments">Where given, the program and its arguments for <c>run</c>; never passed through a shell.</param>
/// <param name="IdempotencyKey">A repeat with the same key returns the first job.</param>
/// <param name="Queue">Accept the job though the target is offline; it starts when the device is back.</param>
/// <param name="Detach">Answer after the job was accepted.</param>
/// <param name="TimeoutMs">Longest wait for the end; the job itself goes on. Null waits for ever.</param>
/// <param name="Parallel">Devices at work at the same time where there are several, 1 to 1,000; null is 32.</param>
/// <param name="After">Jobs of this device that must end first: ok:JOB, fail:JOB or any:JOB.</param>
/// <param name="Resources">What each attempt takes on its device, for example gpu=1, mem=8G: docs/placement.md.</param>
/// <param name="Priority">-10 to 10; null is 0.</param>
/// <param name="Group">Whose limits count; null for none.</param>
/// <param name="Artifacts">NAME=PATH: files that the program leaves behind; docs/artifacts.md.</param>
/// <param name="Inputs">NAME=JOB/ARTIFACT or NAME=sha256:...: files that the program finds.</param>
public sealed record CommandRequest(
    string? Line = null,
    string? Target = null,
    IReadOnlyList<string>? Arguments = null,
    string? IdempotencyKey = null,
    bool Queue = false,
    bool Detach = false,
    double? TimeoutMs = null,
    int? Attempts = null,
    double? AttemptTimeoutMs = null,
    int? Parallel = null,
    IReadOnlyList<string>? After = null,
    IReadOnlyList<string>? Resources = null,
    int? Priority = null,
    string? Group = null,
    string? Home = null,
    IReadOnlyList<string>? Artifacts = null,
    IReadOnlyList<string>? Inputs = null)
{
    /// <summary>Variables for a program.</summary>
    public IReadOnlyDictionary<string, string?>? Environment { get; init; }

    /// <summary>Where a program begins, on its device.</summary>
    public string? Directory { get; init; }

    /// <summary>A URL that is told of each job's end: docs/cron.md, "Webhooks"; null for none. Not for a program that reads input.</summary>
    public string? Notify { get; init; }

    /// <summary>Of which ends: any (also for null), failure or success.</summary>
    public string? NotifyOn { get; init; }

    /// <summary>The program reads what /v1/job/input sends; on one device.</summary>
    public bool Input { get; init; }

    /// <summary>With <see cref="Input"/>: the program gets a terminal.</summary>
    public TerminalView? Terminal { get; init; }

    /// <summary>With <see cref="Input"/>: instead of a program the login shell of the node's user there.</summary>
    public bool LoginShell { get; init; }
}

/// <summary>One line of the answer to POST /v1/commands, told apart by <see cref="Type"/>.</summary>
/// <remarks>targets: several devices follow. skipped: a device of a group that is offline; target and problem. accepted: job and target are set. output: stream, offset and data. ended: job. problem: problem, and job where there is one.</remarks>
public sealed record CommandEvent(
    string Type,
    string? Target = null,
    string? Address = null,
    string? Alias = null,
    JobView? Job = null,
    OutputView? Output = null,
    ProblemView? Problem = null)
{
    /// <summary>Of a pipe, from 0; null elsewhere.</summary>
    public int? Stage { get; init; }
}

/// <summary>A piece of output. <paramref name="Data"/> is base64.</summary>
/// <param name="Attempt">Of an event that is about none, 0.</param>
/// <param name="Stream">stdout, stderr or events.</param>
/// <param name="Offset">Of the first byte, from the start of that attempt's stream; of an event its number.</param>
/// <param name="Data">Of an event a line that tells it.</param>
public sealed record OutputView(int Attempt, string Stream, long Offset, ReadOnlyMemory<byte> Data)
{
    /// <summary>Null, and left out, for output.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JobEventView? Event { get; init; }
}

/// <summary>One of GET /v1/audit: an attempt that came to this device.</summary>
/// <param name="FromName">What the device is called here; null where it is not known any more.</param>
/// <param name="User">Who asked, as that device says: user@device.</param>
/// <param name="Outcome">succeeded, failed, refused, timedout, cancelled, or running: also where the node was killed before it could write the end.</param>
/// <param name="Code">Of the error, where there was one.</param>
public sealed record AuditView(
    DateTimeOffset At,
    string FromId,
    string? FromName,
    string User,
    string Command,
    bool IsProgram,
    string ShortJobId,
    string JobId,
    int Attempt,
    string Outcome,
    int? ExitCode,
    string? Code,
    double? DurationMs);

/// <summary>POST /v1/connect: at an address, or to a device wherever it is known to be.</summary>
public sealed record ConnectRequest(string? Host, int Port = 14590, string? Peer = null);

/// <summary>POST /v1/config.</summary>
/// <param name="Key">With or without <c>agentmesh.</c> before it.</param>
/// <param name="Value">Null: as the configuration file or the default says.</param>
public sealed record SetRequest(string? Key, string? Value);

/// <summary>What holds now.</summary>
public sealed record SettingView(string Key, string Value);

/// <summary>GET /v1/diagnostics: what the node saw since it was started.</summary>
/// <param name="Listening">The UDP addresses that are bound, with the real ports.</param>
/// <param name="AttemptsRunningMax">The setting agentmesh.jobs.running-max: further attempts wait.</param>
public sealed record DiagnosticsView(IReadOnlyList<string> Listening, PacketCountersView Packets, StreamCountersView Streams, int AttemptsRunning, int AttemptsRunningMax)
{
    /// <summary>Null from an older node.</summary>
    public CgroupsView? Cgroups { get; init; }

    /// <summary>Null from an older node.</summary>
    public ConfinementView? Confinement { get; init; }

    /// <summary>Null from an older node.</summary>
    public MemoryView? Memory { get; init; }
}

/// <summary>Whether programs that other devices start by single grants are locked in.</summary>
/// <param name="On">The setting agentmesh.grants.confine.</param>
/// <param name="LandlockAbi">Of the kernel; 0 for none.</param>
/// <param name="KeepsSignals">They cannot send signals to other processes of the user either.</param>
/// <param name="WhyNot">Null where the kernel can do it.</param>
/// <param name="IsUsed">Some device may start programs by such grants only.</param>
public sealed record ConfinementView(bool On, int LandlockAbi, bool KeepsSignals, string? WhyNot, bool IsUsed);

/// <summary>Whether each program has a cgroup of its own.</summary>
/// <param name="Directory">Where they are; null where programs have none.</param>
/// <param name="Controllers">What is measured and can be limited there, of cpu, memory, pids.</param>
/// <param name="Limits">Programs get at most what their job asks for.</param>
/// <param name="WhyNot">Null where there are some.</param>
public sealed record CgroupsView(string? Directory, IReadOnlyList<string> Controllers, bool Limits, string? WhyNot);

/// <summary>Datagrams, and those that were dropped.</summary>
/// <param name="Malformed">No packet of this protocol.</param>
/// <param name="Strangers">Handshakes of devices that are not admitted.</param>
/// <param name="RefusedHandshakes">Handshakes of admitted or invited devices that were refused, repeated, or too many.</param>
/// <param name="ForUnknownConnections">Late ones, for connections that have ended, or noise.</param>
/// <param name="NotAuthentic">Forged, damaged or repeated.</param>
public sealed record PacketCountersView(
    long Received, long Sent, long Malformed, long Strangers, long RefusedHandshakes, long ForUnknownConnections, long NotAuthentic, long SendFailures);

/// <summary>Streams that other devices opened here.</summary>
/// <param name="Refused">One device had too many open.</param>
/// <param name="LastFailure">Of the service that failed last.</param>
public sealed record StreamCountersView(long Accepted, long Refused, long BadHeaders, long UnknownServices, long Failed, string? LastFailure);

/// <summary>POST /v1/ping: round trips to a device that is connected.</summary>
/// <param name="Count">1 to 100,000.</param>
/// <param name="IntervalMs">From one question to the next, 10 to 60,000; a slow answer delays the next question.</param>
/// <param name="TimeoutMs">Longest wait for each answer, 10 to 60,000.</param>
public sealed record PingRequest(string Peer, int Count = 4, double IntervalMs = 200, double TimeoutMs = 5000)
{
    /// <summary>The paths beside the one in use are measured too.</summary>
    public bool Paths { get; init; }
}

/// <summary>One line of the answer to POST /v1/ping. probe: <paramref name="Probe"/> is set, once for each question; summary: <paramref name="Summary"/>, at the end.</summary>
/// <param name="Target">The name of the device.</param>
public sealed record PingEvent(string Type, string Target, string Id, PingProbeView? Probe = null, PingSummaryView? Summary = null)
{
    /// <summary>Of type path, after each probe where they were asked for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PathProbeView? PathProbe { get; init; }
}

/// <summary>One question.</summary>
/// <param name="Sequence">From 1.</param>
/// <param name="RoundTripMs">Null when it was not answered; then <paramref name="Problem"/> says why.</param>
/// <param name="ClockOffsetMs">How far the clock there is ahead of the one here; the error is at most half the round trip.</param>
/// <param name="Path">The kind, with what relays: direct, "relay via HOST:PORT"; the one in use when the answer came.</param>
public sealed record PingProbeView(int Sequence, double? RoundTripMs, double? ClockOffsetMs, string? Address, string? Path, string? Problem)
{
    /// <summary>The path that was in use when the question was asked, with its address, where it was another one.</summary>
    public string? AskedOver { get; init; }
}

/// <summary>A run as a whole; the times are null when nothing was answered.</summary>
/// <param name="P99Ms">99 of 100 answers were as quick; null with fewer than 100 answers.</param>
/// <param name="ClockOffsetMs">Of the quickest round trip.</param>
public sealed record PingSummaryView(int Sent, int Answered, double? MinMs, double? AvgMs, double? MaxMs, double? P99Ms, double? ClockOffsetMs);

/// <summary>What went wrong, in every answer that is not a success and inside events.</summary>
/// <param name="Code">Stable, with a page in docs/errors.</param>
/// <param name="Next">What can be done about it.</param>
public sealed record ProblemView(string Code, string Message, string? Next);

public sealed record ConfigView(string Text);
