using AgentMesh.Protocol.Identity;

namespace AgentMesh.Workers.Attempts;

/// <summary>Names one run of a job: the attempt number is the fencing token.</summary>
public readonly record struct AttemptKey(string JobId, int Attempt)
{
    public override string ToString() => $"{JobId}#{Attempt}";
}

/// <summary>What is to be run.</summary>
/// <param name="Line">A command for a handler; empty where <paramref name="Words"/> is given.</param>
/// <param name="Words">A program and its arguments; empty for a handler.</param>
/// <param name="Timeout">Longest run; null for no limit.</param>
public sealed record AttemptOrder(
    AttemptKey Key,
    DeviceId Home,
    string Line,
    IReadOnlyList<string> Words,
    DeviceId Caller,
    string CallerName,
    TimeSpan? Timeout)
{
    public bool IsProgram => Words.Count > 0;
}

public enum AttemptOutcome
{
    Succeeded,

    /// <summary>Ran to its end and reported a failure: an exit code, or an error of the handler.</summary>
    Failed,

    /// <summary>Never ran: bad arguments, unknown command, not allowed. Another attempt would not help.</summary>
    Refused,

    TimedOut,

    Cancelled,
}

/// <summary>How an attempt ended. It does not change any more.</summary>
/// <param name="Text">The result of a handler; null for a program.</param>
/// <param name="StdoutBytes">Final length of the stream; 0 for a handler.</param>
public sealed record AttemptEnd(
    AttemptOutcome Outcome,
    int? ExitCode,
    string? Text,
    long StdoutBytes,
    long StderrBytes,
    string? ErrorCode,
    string? ErrorText,
    string? NextStep);
