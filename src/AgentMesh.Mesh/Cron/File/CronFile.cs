using System.Collections.Immutable;

namespace AgentMesh.Mesh.Cron.File;

/// <summary>One job of a <c>CRON.md</c>, as written; what its values mean is checked when it becomes a schedule.</summary>
/// <param name="Line">Of its heading, from 1.</param>
/// <param name="Name">The title as the name of a schedule: lower case, '-' for what a name cannot have.</param>
/// <param name="Command">A line for the shell, or one that begins with @ and is meant for a device.</param>
public sealed record CronFileJob(int Line, string Title, string Name, string Schedule, string Command, bool IsEnabled)
{
    public string? On { get; init; }

    public string? Zone { get; init; }

    public string? Missed { get; init; }

    public string? Overlap { get; init; }

    public string? Jitter { get; init; }

    public ValueList<string> Resources { get; init; }

    public int? Priority { get; init; }

    public string? Group { get; init; }

    public int? PauseAfter { get; init; }

    /// <summary>A URL, or a URL, "on" and of which runs it is told.</summary>
    public string? Deliver { get; init; }
}

/// <param name="Name">Of the schedule that is left as it is; null where the job has none.</param>
public sealed record CronFileProblem(int Line, string? Name, string Text, string NextStep);

/// <summary>A <c>CRON.md</c> that was read: docs/cron.md says how.</summary>
/// <param name="Problems">Of jobs that are not among <paramref name="Jobs"/>.</param>
public sealed record CronFile(ImmutableArray<CronFileJob> Jobs, ImmutableArray<CronFileProblem> Problems)
{
    /// <summary>In the data directory, where no other is set.</summary>
    public const string FileName = "CRON.md";

    public const int CharsMax = 1 << 20;

    public const string DefaultSchedule = "0 0 * * *";

    /// <summary>Never throws: what cannot be used is a problem of its job.</summary>
    public static CronFile Parse(string text) => CronFileReader.Read(text);
}
