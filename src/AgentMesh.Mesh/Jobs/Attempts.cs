using AgentMesh.Mesh.Turns;
using AgentMesh.Mesh.Artifacts;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Jobs;

/// <summary>How an attempt ended. The numbers are on disk and on the wire.</summary>
public enum AttemptOutcome
{
    Succeeded = 1,

    /// <summary>Ran to its end and reported a failure: an exit code, or an error of the handler.</summary>
    Failed = 2,

    /// <summary>Never ran: bad arguments, unknown command, not allowed. Another attempt would not help.</summary>
    Refused = 3,

    TimedOut = 4,

    Cancelled = 5,

    /// <summary>Only a home says so: the executing device restarted, or nothing was heard from it for the heartbeat timeout.</summary>
    Lost = 6,
}

/// <param name="Code">Stable code with a page in docs/errors.</param>
public sealed record Problem(string Code, string Text, string? NextStep = null);

/// <summary>What an entity answers instead of what it was asked for.</summary>
public interface IRefusal
{
    public Problem Problem { get; }
}

/// <summary>How an attempt ended; it does not change any more.</summary>
/// <param name="ExitCode">Of a program; 0 or 1 for a handler; null where nothing ran or it was killed.</param>
/// <param name="Text">The result of a handler, at most <see cref="TextBytesMax"/> bytes of UTF-8; null for a program.</param>
/// <param name="StdoutBytes">Final length of the stream: readers of the output store are done when it has so many.</param>
/// <param name="Alias">The alias that was typed, when one was expanded.</param>
public sealed record AttemptResult(AttemptOutcome Outcome, int? ExitCode = null, string? Text = null, long StdoutBytes = 0, long StderrBytes = 0, Problem? Problem = null, string? Alias = null)
{
    public const int TextBytesMax = 64 * 1024;

    /// <summary>What is in the store of the home: of a program that succeeded.</summary>
    public ValueList<ArtifactRef> Artifacts { get; init; }

    /// <summary>Of a refusal for now: when to come again. The device has more of this caller or command than it allows.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The newest one, where the home has not acknowledged it and the attempt did not succeed.</summary>
    public Checkpoint? Checkpoint { get; init; }

    /// <summary>Of stdout, taken by the next program of a pipe; they are not among <see cref="StdoutBytes"/>.</summary>
    public long PipedBytes { get; init; }

    /// <summary>What the program took; null where its device does not count it.</summary>
    public ProgramUsage? Usage { get; init; }
}

/// <param name="Cpu">Time of processors, of all that it started together; null where it is not known.</param>
/// <param name="MemoryPeakBytes">The most that they had at the same time; null where it is not known.</param>
public sealed record ProgramUsage(TimeSpan? Cpu, long? MemoryPeakBytes)
{
    /// <summary>The kernel ended a process of it for want of memory; known on the device only.</summary>
    public bool IsOutOfMemory { get; init; }
}

/// <summary>Where an attempt runs.</summary>
/// <param name="Attempt">From 1, never reused: the fencing token.</param>
/// <param name="Incarnation">Which life of the node on that device: one that has restarted does not begin the attempt again, see <see cref="RunAttempt"/>.</param>
public sealed record Placement(int Attempt, DeviceId Device, long Incarnation);

/// <summary>
/// Home to <c>/user/workers</c> of the device, sent again until <see cref="AttemptStarted"/> or <see cref="AttemptEnded"/> arrives. The receiver answers the
/// sender: a known attempt with its present state; an unknown one by starting it when <see cref="Incarnation"/> is its own, and with
/// <see cref="AttemptUnknown"/> when it is not. A newer attempt of the same job ends the older one there.
/// </summary>
/// <param name="Timeout">Longest run; null for no limit.</param>
/// <param name="HeartbeatEvery">How often the home wants to hear from it.</param>
public sealed record RunAttempt(JobId JobId, int Attempt, long Incarnation, JobCommand Command, Caller Caller, TimeSpan? Timeout, TimeSpan HeartbeatEvery) : IJobMessage
{
    public JobNeeds Needs { get; init; } = JobNeeds.None;

    /// <summary>What an earlier attempt left; null for a program that begins at its beginning.</summary>
    public Checkpoint? Checkpoint { get; init; }

    public ValueList<JobArtifact> Artifacts { get; init; }

    public ValueList<ArtifactInput> Inputs { get; init; }
}

/// <summary>The device has the attempt: running, or waiting there for its turn.</summary>
public sealed record AttemptStarted(JobId JobId, int Attempt, long Incarnation) : IJobMessage
{
    /// <summary>In words, what it waits for there; null once it runs.</summary>
    public string? Waiting { get; init; }
}

/// <summary>Sent by the device at the asked rate. Answered with <see cref="CancelAttempt"/> when the attempt is no longer wanted, otherwise not at all.</summary>
public sealed record AttemptHeartbeat(JobId JobId, int Attempt, long StdoutBytes, long StderrBytes) : IJobMessage
{
    /// <inheritdoc cref="AttemptStarted.Waiting"/>
    public string? Waiting { get; init; }

    /// <summary>Null where the program has not said.</summary>
    public Progress? Progress { get; init; }
}

/// <summary>What the program has left to go on from; sent again at the rate of heartbeats until <see cref="CheckpointKept"/> arrives.</summary>
/// <param name="Number">Counts the checkpoints that this life of the device's node has seen of the attempt.</param>
public sealed record AttemptCheckpoint(JobId JobId, int Attempt, int Number, Checkpoint Data) : IJobMessage;

/// <summary>It is journalled.</summary>
public sealed record CheckpointKept(JobId JobId, int Attempt, int Number) : IJobMessage;

/// <summary>Sent by the device to the entity of the job, again until <see cref="AttemptEndedAck"/> arrives.</summary>
public sealed record AttemptEnded(JobId JobId, int Attempt, AttemptResult Result) : IJobMessage;

/// <summary>The end is journalled, or will never be: the device may forget the attempt.</summary>
/// <param name="Recorded">False when the attempt was fenced off; its output is not wanted.</param>
public sealed record AttemptEndedAck(JobId JobId, int Attempt, bool Recorded) : IJobMessage;

/// <summary>Answered with <see cref="AttemptEnded"/> when it is over, or <see cref="AttemptUnknown"/>. Sent again until then.</summary>
public sealed record CancelAttempt(JobId JobId, int Attempt) : IJobMessage;

/// <summary>The device does not know the attempt and will not run it.</summary>
public sealed record AttemptUnknown(JobId JobId, int Attempt, long Incarnation) : IJobMessage;
