namespace AgentMesh.Node.Control;

/// <summary>POST /v1/workflows.</summary>
/// <param name="Text">The file; docs/workflows.md.</param>
/// <param name="File">What messages call it.</param>
/// <param name="Set">Values of variables that the file names.</param>
/// <param name="Home">A pool, or <c>device</c>; null for the setting jobs.home.</param>
public sealed record WorkflowRequest(string Text, string File, IReadOnlyDictionary<string, string>? Set = null, string? IdempotencyKey = null, string? Home = null)
{
    /// <summary>A URL that is told when the workflow has ended or stopped at a step that failed: docs/cron.md, "Webhooks"; null for the one that the file names, or none.</summary>
    public string? Notify { get; init; }

    /// <summary>Of which ends: any (also for null), failure (it stopped) or success.</summary>
    public string? NotifyOn { get; init; }
}

/// <summary>POST /v1/workflow/edit: what is null stays as it is. At most one of Arguments, Shell and Command.</summary>
/// <param name="On">A selector.</param>
/// <param name="Arguments">A program and its arguments.</param>
/// <param name="Shell">A line for a shell.</param>
/// <param name="Command">A line for a handler.</param>
public sealed record StepEditRequest(
    string? On = null,
    IReadOnlyList<string>? Arguments = null,
    string? Shell = null,
    string? Command = null,
    int? Attempts = null,
    double? AttemptTimeoutMs = null,
    double? QueueTimeoutMs = null,
    double? TotalTimeoutMs = null,
    bool? AllowFailure = null);

/// <summary>POST /v1/workflow/fork.</summary>
/// <param name="Set">Values of variables for the steps that run anew.</param>
public sealed record ForkRequest(string FromStep, IReadOnlyDictionary<string, string>? Set = null, string? IdempotencyKey = null)
{
    /// <summary>As in <see cref="WorkflowRequest"/>; null for what the workflow has that it is forked from.</summary>
    public string? Notify { get; init; }

    /// <inheritdoc cref="WorkflowRequest.NotifyOn"/>
    public string? NotifyOn { get; init; }
}

/// <summary>A workflow as it stands.</summary>
/// <param name="State">running, paused, cancelling, completed or cancelled; in lists also unanswered: it gave no answer, <paramref name="Problem"/> says why, and only its ids and times are known.</param>
/// <param name="Problem">Why it does not go on.</param>
/// <param name="ForkOf">The workflow whose results it took over.</param>
public sealed record WorkflowView(
    string Id,
    string ShortId,
    string Name,
    string State,
    DateTimeOffset CreatedAt,
    DateTimeOffset? EndedAt,
    string? IdempotencyKey,
    string? ForkOf,
    ProblemView? Problem,
    IReadOnlyDictionary<string, string> Vars,
    IReadOnlyList<WorkflowStepView> Steps,
    bool Repeated = false)
{
    /// <summary>The URL that is told of its end; null for none.</summary>
    public string? Notify { get; init; }

    /// <summary>any, failure or success; null where nobody is told.</summary>
    public string? NotifyOn { get; init; }

    /// <summary>Whether its end, or that it stopped, was told; null while it goes on, and where nobody is told of it.</summary>
    public DeliveryView? Delivery { get; init; }
}

/// <param name="State">waiting, running, completed, failed, skipped, omitted or cancelled.</param>
/// <param name="On">The selector; empty for this device.</param>
/// <param name="Needs">Names of steps, with fail: or any: before them.</param>
/// <param name="Generation">How often it was begun.</param>
/// <param name="Taken">It ran in the workflow that this one was forked from.</param>
/// <param name="Reason">What it waits for.</param>
public sealed record WorkflowStepView(
    string Name,
    string State,
    string On,
    string Command,
    IReadOnlyList<string> Needs,
    bool AllowFailure,
    int Generation,
    bool Taken,
    DateTimeOffset? BeganAt,
    DateTimeOffset? EndedAt,
    string? Reason,
    ProblemView? Problem,
    IReadOnlyList<WorkflowJobView> Jobs);

/// <param name="State">running until it came to rest: completed, failed, paused or cancelled.</param>
/// <param name="Result">What later steps can name; null where it is longer than 4 KiB.</param>
public sealed record WorkflowJobView(string Id, string ShortId, string Device, string State, int? ExitCode, string? Result, ProblemView? Problem, DateTimeOffset? EndedAt, IReadOnlyList<ArtifactRefView> Artifacts);
