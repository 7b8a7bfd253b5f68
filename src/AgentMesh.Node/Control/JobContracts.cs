namespace AgentMesh.Node.Control;

/// <summary>A job as it stands.</summary>
/// <param name="Id">Whole: job/HOME/ULID.</param>
/// <param name="State">queued, placing, running, retrying, paused, completed, failed or cancelled; in lists also unanswered: it gave no answer, <paramref name="Problem"/> says why, and only its ids and times are known.</param>
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

    /// <summary>Who is told when it has come to rest; null for nobody.</summary>
    public string? Notify { get; init; }

    /// <summary>any, failure or success.</summary>
    public string? NotifyOn { get; init; }

    /// <summary>Whether its end was told; null before it, and where it is not told.</summary>
    public DeliveryView? Delivery { get; init; }
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
/// <param name="Elsewhere">Those that other members of the pool hold and remove.</param>
public sealed record PrunedView(string Home, int Jobs, int Arrays, int Workflows, bool DryRun, int Elsewhere = 0);

/// <summary>GET /v1/jobs.</summary>
/// <param name="Next">Pass as <c>before</c> for the next page; null at the end.</param>
/// <param name="Arrays">Arrays of the same time as the jobs; their elements are not among the jobs.</param>
public sealed record JobPage(IReadOnlyList<JobView> Jobs, string? Next, IReadOnlyList<ArrayView> Arrays);
