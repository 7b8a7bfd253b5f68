using System.Globalization;

namespace Soak.Planning;

internal enum WorkKind
{
    Calc,
    Echo,

    /// <summary>A program that prints numbered lines.</summary>
    Program,

    /// <summary>An echo to every device.</summary>
    Everywhere,

    /// <summary>A program of a group that has a limit.</summary>
    Grouped,

    /// <summary>No job: a question to the node.</summary>
    Look,
}

/// <summary>One thing that a person does at one device.</summary>
/// <param name="At">Since the begin of the run.</param>
/// <param name="Home">Where it is typed.</param>
/// <param name="Line">The command after the selector; for a look the words of the command line.</param>
/// <param name="Answer">The result that it must have; null where it is not foreseen.</param>
/// <param name="Key">Items with the same key at the same home are the same job.</param>
/// <param name="Lines">What the program prints; null for all but programs.</param>
/// <param name="CancelAfter">Since the job was accepted.</param>
/// <param name="FollowAfter">When a second reader begins to follow the output, since the job was accepted.</param>
/// <param name="FollowFrom">Where it begins, as a share of what the program will print.</param>
/// <param name="ByCommandLine">A process of its own as a person starts it, and not the control API.</param>
internal sealed record WorkItem(
    int Number,
    TimeSpan At,
    int Home,
    int Target,
    WorkKind Kind,
    string Line,
    string? Answer,
    TimeSpan Timeout,
    string? Key = null,
    NumberedLines? Lines = null,
    bool Queue = false,
    bool Detach = false,
    TimeSpan? CancelAfter = null,
    TimeSpan? FollowAfter = null,
    double FollowFrom = 0,
    bool ByCommandLine = false)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{At.TotalSeconds,8:0.000} #{Number} n{Home} -> {(Kind == WorkKind.Everywhere ? "all" : $"n{Target}")} {Kind}: {(Line.Length > 60 ? Line[..60] + "..." : Line)}{Lines}" +
        $"{(Key is null ? "" : $" key={Key}")}{(Queue ? " queue" : "")}{(Detach ? " detach" : "")}{(ByCommandLine ? " cli" : "")}" +
        $"{(CancelAfter is { } cancel ? $" cancel after {cancel.TotalSeconds:0.0} s" : "")}{(FollowAfter is { } follow ? $" follow after {follow.TotalSeconds:0.0} s from {FollowFrom:0.00}" : "")}");
}
