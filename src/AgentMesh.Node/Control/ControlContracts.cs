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
    /// <summary>Null where no port is to be mapped.</summary>
    public GatewayView? Gateway { get; init; }

    /// <summary>Null where no beacon has told anything.</summary>
    public NatView? Nat { get; init; }

    /// <summary>The STUN servers of the settings; null without any.</summary>
    public IReadOnlyList<StunView>? Stun { get; init; }
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
/// <param name="Path">local, direct, "relay via HOST:PORT" (a beacon), "relay/wss via HOST:PORT" (a beacon over a WebSocket) or "relay/peer via NAME" (a device of the mesh).</param>
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
    IReadOnlyList<ResourceView>? Resources = null);

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

/// <summary>A job as it stands.</summary>
/// <param name="Id">Whole: job/HOME/ULID.</param>
/// <param name="State">queued, placing, running, retrying, paused, completed, failed or cancelled.</param>
/// <param name="Reason">Why it waits, is paused, failed or was cancelled.</param>
/// <param name="Result">The recorded result of a handler; null for a program, whose result is its output and exit code.</param>
/// <param name="Resources">What each attempt takes on its device; null for nothing.</param>
/// <param name="TargetWhy">Why this device of several; null where there was no choice.</param>
/// <param name="Workflow">Whose step <paramref name="Step"/> it is; null for a job of its own.</param>
public sealed record JobView(
    string Id,
    string ShortId,
    string State,
    string Command,
    string Target,
    string TargetName,
    int Attempt,
    int AttemptsMax,
    DateTimeOffset CreatedAt,
    DateTimeOffset? EndedAt,
    string? Result,
    int? ExitCode,
    string? Reason,
    ProblemView? Problem,
    string? Alias,
    string? IdempotencyKey,
    long? StdoutBytes,
    long? StderrBytes,
    bool Repeated = false,
    string? Resources = null,
    int Priority = 0,
    string? Group = null,
    string? TargetWhy = null,
    string? Workflow = null,
    string? Step = null,
    IReadOnlyList<ArtifactRefView>? Artifacts = null)
{
    /// <summary>What the program took; null where its device does not count it, and before it has ended.</summary>
    public UsageView? Usage { get; init; }

    /// <summary>Its program reads what a client sends.</summary>
    public bool Input { get; init; }

    /// <summary>Its program has a terminal.</summary>
    public bool Terminal { get; init; }

    /// <summary>What the running program says of itself; null where it has not, or nothing runs.</summary>
    public ProgressView? Progress { get; init; }

    /// <summary>What the next attempt begins from; null without one.</summary>
    public CheckpointInfo? Checkpoint { get; init; }
}

/// <param name="CpuSeconds">Of all that it started together; null where it is not known.</param>
/// <param name="MemoryPeakBytes">The most at the same time; null where it is not known.</param>
public sealed record UsageView(double? CpuSeconds, long? MemoryPeakBytes);

/// <param name="Fraction">Of the whole, 0 to 1; null where it did not say.</param>
/// <param name="Text">What it does; may be empty.</param>
public sealed record ProgressView(double? Fraction, string Text);

/// <param name="Attempt">Which attempt left it.</param>
public sealed record CheckpointInfo(int Bytes, int Attempt, DateTimeOffset At);

/// <param name="Hash">sha256: and 64 digits.</param>
public sealed record ArtifactRefView(string Name, string Hash, long Size);

/// <summary>One of GET /v1/artifacts.</summary>
/// <param name="Job">Null for what a person put there.</param>
/// <param name="Hash">sha256: and 64 digits.</param>
public sealed record ArtifactView(string Name, string? Job, string? ShortJob, string Hash, long Size, DateTimeOffset At);

/// <summary>GET /v1/job/history: one event of a job.</summary>
/// <param name="Number">From 1; what a snapshot stands for is not there any more.</param>
/// <param name="What">accepted, placed, released, checkpointed, retrying, paused, completed, failed, cancel requested, cancelled, retried; while the job is followed also progress, which is not kept and has the number of the event before.</param>
/// <param name="Attempt">0 where it is about none.</param>
public sealed record JobEventView(long Number, DateTimeOffset At, string What, int Attempt, string Text);

/// <summary>POST /v1/jobs/prune: what was removed, or would be.</summary>
/// <param name="Home">Whose jobs.</param>
/// <param name="Jobs">The elements of arrays and the steps of workflows included.</param>
/// <param name="DryRun">Nothing was removed.</param>
public sealed record PrunedView(string Home, int Jobs, int Arrays, int Workflows, bool DryRun);

/// <summary>GET /v1/jobs.</summary>
/// <param name="Next">Pass as <c>before</c> for the next page; null at the end.</param>
/// <param name="Arrays">Arrays of the same time as the jobs; their elements are not among the jobs.</param>
public sealed record JobPage(IReadOnlyList<JobView> Jobs, string? Next, IReadOnlyList<ArrayView> Arrays);

/// <summary>POST /v1/arrays: a job for each number of <paramref name="Range"/>, or each row of <paramref name="Csv"/>; docs/arrays.md.</summary>
/// <param name="Line">As in <see cref="CommandRequest"/>, with placeholders; or <paramref name="Arguments"/>.</param>
/// <param name="Target">A selector: the devices on which elements may run; this one when it is null.</param>
/// <param name="File">What messages call the table.</param>
/// <param name="Parallel">Elements at the same time, 1 to 1,000; null for one on each device.</param>
/// <param name="Resources">What each attempt takes on its device, for example gpu=1, mem=8G: docs/placement.md.</param>
/// <param name="Priority">-10 to 10; null is 0.</param>
/// <param name="Group">Whose limits count; null for none.</param>
public sealed record ArrayRequest(
    string? Line = null,
    string? Target = null,
    IReadOnlyList<string>? Arguments = null,
    string? Range = null,
    string? Csv = null,
    string? File = null,
    int? Parallel = null,
    string? IdempotencyKey = null,
    int? Attempts = null,
    double? AttemptTimeoutMs = null,
    IReadOnlyList<string>? Resources = null,
    int? Priority = null,
    string? Group = null,
    string? Home = null);

/// <summary>An array as it stands.</summary>
/// <param name="State">waiting, running, cancelling, completed, failed or cancelled.</param>
/// <param name="Command">With its placeholders.</param>
/// <param name="Reason">Why elements wait; null while none does.</param>
public sealed record ArrayView(
    string Id,
    string ShortId,
    string State,
    string Command,
    string Target,
    int? Parallel,
    int Count,
    int Waiting,
    int Running,
    int Completed,
    int Failed,
    int Cancelled,
    DateTimeOffset CreatedAt,
    DateTimeOffset? EndedAt,
    string? IdempotencyKey,
    string? Reason,
    bool Repeated = false);

/// <param name="Index">From 0; pages go by it.</param>
/// <param name="Number">What people call it: the value in a range, the row in a table.</param>
/// <param name="State">waiting, running, completed, failed or cancelled.</param>
/// <param name="Job">Its newest job; null before the first.</param>
/// <param name="Result">The beginning of a handler's result.</param>
/// <param name="BeganAt">When its last attempt was given to the device.</param>
public sealed record ArrayElementView(
    int Index,
    int Number,
    string State,
    string Parameters,
    string? Job,
    string? Device,
    int? ExitCode,
    string? Result,
    ProblemView? Problem,
    DateTimeOffset? BeganAt,
    DateTimeOffset? EndedAt);

/// <summary>GET /v1/array/elements.</summary>
/// <param name="Next">Pass as <c>from</c> for the next page; null at the end.</param>
public sealed record ArrayElementPage(IReadOnlyList<ArrayElementView> Elements, int? Next);

/// <summary>What the command line prints of an array as JSON.</summary>
public sealed record ArrayReport(ArrayView Array, IReadOnlyList<ArrayElementView> Elements);

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

/// <summary>POST /v1/invitations.</summary>
public sealed record InviteRequest(IReadOnlyList<string>? Grants = null, double? LifetimeMs = null);

/// <param name="Id">Names it in GET /v1/invitations; no secret.</param>
/// <param name="Code">What a person says to another; null where libsodium is too old for it.</param>
/// <param name="Ways">How the code leads here; null without one.</param>
public sealed record InvitationView(string Link, DateTimeOffset ExpiresAt, IReadOnlyList<string> Grants, string Id, string? Code, CodeWaysView? Ways = null);

/// <summary>Over which ways a code can be used, beside an address that is given with it.</summary>
/// <param name="LocalNetwork">On the networks of this device.</param>
/// <param name="Beacons">host:port of the beacons at which it is known, for ten minutes.</param>
public sealed record CodeWaysView(bool LocalNetwork, IReadOnlyList<string> Beacons);

/// <summary>GET /v1/invitations.</summary>
/// <param name="State">open, used or expired.</param>
/// <param name="Code">The code that counts now; null when there is none any more.</param>
/// <param name="WrongGuesses">Each of them ended a code.</param>
/// <param name="LastWrongFrom">Address of the latest one, or the beacon that it came through.</param>
/// <param name="UsedBy">Name of the device that joined by it.</param>
/// <param name="CheckDigits">What that device showed, too.</param>
public sealed record InvitationStateView(
    string Id, string State, string? Code, DateTimeOffset ExpiresAt, IReadOnlyList<string> Grants, int WrongGuesses, string? LastWrongFrom, string? UsedBy, string? CheckDigits,
    CodeWaysView? Ways = null);

/// <summary>POST /v1/join.</summary>
/// <param name="Link">Of an invitation; this or <paramref name="Code"/>.</param>
/// <param name="At">HOST or HOST:PORT where the inviting device is: instead of asking the local network and the beacons for a code, beside the addresses of a link.</param>
public sealed record JoinRequest(string? Link = null, IReadOnlyList<string>? Grants = null, string? Code = null, string? At = null);

/// <param name="CheckDigits">Six digits that the other device shows too.</param>
/// <param name="Invitation">Which one of this device was used; null on the device that joined.</param>
public sealed record PairingView(string Name, string Id, string CheckDigits, DateTimeOffset At, string? Invitation = null);

/// <summary>POST /v1/grants: exactly one of grant and revoke holds names.</summary>
public sealed record GrantRequest(string Peer, IReadOnlyList<string>? Grant = null, IReadOnlyList<string>? Revoke = null);

/// <summary>POST /v1/rename: what the peer is called on this device from now on.</summary>
public sealed record RenameRequest(string Peer, string Name);

/// <summary>POST /v1/forget: the peer is put out of the mesh, as this device sees it.</summary>
public sealed record ForgetRequest(string Peer);

public sealed record ForgottenView(string Name, string Id);

/// <summary>POST /v1/connect.</summary>
public sealed record ConnectRequest(string Host, int Port);

/// <summary>GET /v1/diagnostics: what the node saw since it was started.</summary>
/// <param name="Listening">The UDP addresses that are bound, with the real ports.</param>
/// <param name="AttemptsRunningMax">The setting agentmesh.jobs.running-max: further attempts wait.</param>
public sealed record DiagnosticsView(IReadOnlyList<string> Listening, PacketCountersView Packets, StreamCountersView Streams, int AttemptsRunning, int AttemptsRunningMax);

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
public sealed record PingRequest(string Peer, int Count = 4, double IntervalMs = 200, double TimeoutMs = 5000);

/// <summary>One line of the answer to POST /v1/ping. probe: <paramref name="Probe"/> is set, once for each question; summary: <paramref name="Summary"/>, at the end.</summary>
/// <param name="Target">The name of the device.</param>
public sealed record PingEvent(string Type, string Target, string Id, PingProbeView? Probe = null, PingSummaryView? Summary = null);

/// <summary>One question.</summary>
/// <param name="Sequence">From 1.</param>
/// <param name="RoundTripMs">Null when it was not answered; then <paramref name="Problem"/> says why.</param>
/// <param name="ClockOffsetMs">How far the clock there is ahead of the one here; the error is at most half the round trip.</param>
/// <param name="Path">The kind: direct.</param>
public sealed record PingProbeView(int Sequence, double? RoundTripMs, double? ClockOffsetMs, string? Address, string? Path, string? Problem);

/// <summary>A run as a whole; the times are null when nothing was answered.</summary>
/// <param name="P99Ms">99 of 100 answers were as quick; null with fewer than 100 answers.</param>
/// <param name="ClockOffsetMs">Of the quickest round trip.</param>
public sealed record PingSummaryView(int Sent, int Answered, double? MinMs, double? AvgMs, double? MaxMs, double? P99Ms, double? ClockOffsetMs);

/// <summary>What went wrong, in every answer that is not a success and inside events.</summary>
/// <param name="Code">Stable, with a page in docs/errors.</param>
/// <param name="Next">What can be done about it.</param>
public sealed record ProblemView(string Code, string Message, string? Next);

public sealed record ConfigView(string Text);
