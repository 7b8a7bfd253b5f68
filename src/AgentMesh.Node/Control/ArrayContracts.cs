namespace AgentMesh.Node.Control;

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
    string? Home = null)
{
    /// <summary>Variables for a program; the values may have placeholders.</summary>
    public IReadOnlyDictionary<string, string?>? Environment { get; init; }

    /// <summary>Where a program begins, on its device.</summary>
    public string? Directory { get; init; }

    /// <summary>A URL that is told of the array's end, once for all elements: docs/cron.md, "Webhooks"; null for none.</summary>
    public string? Notify { get; init; }

    /// <summary>Of which ends: any (also for null), failure (an element did not complete) or success.</summary>
    public string? NotifyOn { get; init; }
}

/// <summary>An array as it stands.</summary>
/// <param name="State">waiting, running, cancelling, completed, failed or cancelled; in lists also unanswered: it gave no answer, <paramref name="Reason"/> says why, and only its ids and times are known.</param>
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
    bool Repeated = false)
{
    /// <summary>Who is told when it is over; null for nobody.</summary>
    public string? Notify { get; init; }

    /// <summary>any, failure or success.</summary>
    public string? NotifyOn { get; init; }

    /// <summary>Whether its end was told; null before it, and where it is not told.</summary>
    public DeliveryView? Delivery { get; init; }
}

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
