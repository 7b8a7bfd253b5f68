using System.Collections.Immutable;
using AgentMesh.Mesh.Turns;
using AgentMesh.Mesh.Artifacts;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Mesh.Jobs;

/// <summary>What is to be run: a line for a command handler, or a program with its arguments.</summary>
/// <param name="Line">As typed after the selector; empty for a program.</param>
/// <param name="Words">Program and arguments, passed on unchanged; empty for a handler.</param>
/// <param name="CallerAliases">The aliases of the caller that <paramref name="Line"/> can reach; the executing device asks its own first.</param>
public sealed record JobCommand(string Line, ImmutableArray<string> Words, ImmutableSortedDictionary<string, string> CallerAliases)
{
    /// <summary>Line, words and aliases together, in UTF-8: they travel in actor messages, which stay below 256 KiB.</summary>
    public const int BytesMax = 128 * 1024;

    private static readonly ImmutableSortedDictionary<string, string> NoAliases = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>Variables of an environment.</summary>
    public const int EnvironmentMax = 100;

    public bool IsProgram => !Words.IsEmpty;

    /// <summary>Variables that are added to the environment of a program; a handler does not see them.</summary>
    public ImmutableSortedDictionary<string, string> Environment { get; init; } = NoAliases;

    /// <summary>The name of a variable of an environment: letters, digits and '_', not a digit first.</summary>
    public static bool IsVariable(string name) => name.Length is > 0 and <= 128 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    /// <summary>Where a program begins, on its device; null for the directory in which all do. <see cref="ProgramPlace"/> says how it is written.</summary>
    public string? Directory { get; init; }

    /// <summary>What the program reads; null for nothing.</summary>
    public JobInput? Input { get; init; }

    /// <summary>Who reads stdout of the program; null for the home of the job.</summary>
    public JobPipe? PipeTo { get; init; }

    public static JobCommand Handler(string line, ImmutableSortedDictionary<string, string>? callerAliases = null) => new(line, [], callerAliases ?? NoAliases);

    public static JobCommand Program(params IEnumerable<string> words) => new("", [.. words], NoAliases);

    /// <summary>What people see in lists.</summary>
    public override string ToString() => Input is { LoginShell: true } ? "shell" : IsProgram ? "run -- " + string.Join(' ', Words.Select(Commands.Quoting.Quote)) : Line;

    public bool Equals(JobCommand? other) =>
        other is not null && Line == other.Line && Words.AsSpan().SequenceEqual(other.Words.AsSpan()) && CallerAliases.SequenceEqual(other.CallerAliases) && Environment.SequenceEqual(other.Environment)
        && Directory == other.Directory && Input == other.Input && PipeTo == other.PipeTo;

    public override int GetHashCode() => HashCode.Combine(Line, Words.Length, CallerAliases.Count);
}

/// <param name="Device">The executing device.</param>
/// <param name="Selector">What was typed for it.</param>
/// <param name="Name">Its name when the job was submitted.</param>
public sealed record JobTarget(DeviceId Device, string Selector, string Name)
{
    /// <summary>In words, why this one of several; null where there was no choice.</summary>
    public string? Why { get; init; }
}

/// <param name="Device">Whose grants count.</param>
/// <param name="User">The user of that device's node, for display.</param>
public sealed record Caller(DeviceId Device, string DeviceName, string User);

/// <summary>What a home does when an attempt did not succeed. A lost attempt and a failed one count alike; a refused one is never repeated.</summary>
/// <param name="Attempts">Attempts until the job is used up, 1 for no retry.</param>
/// <param name="BackoffMin">Wait before the second attempt; it doubles with each further one.</param>
/// <param name="BackoffMax">Bound of the doubling, before jitter.</param>
/// <param name="Jitter">0 to 1: a random part of up to this share is added to the wait.</param>
/// <param name="RetryExitCodes">Whether an exit code other than 0 is a reason to try again; without it a program that ran to its end has had its say.</param>
/// <param name="FinalExitCodes">Exit codes that are not retried even so.</param>
/// <param name="FailWhenUsedUp">Fails the job where it would be paused for a person.</param>
public sealed record RetryPolicy(int Attempts, TimeSpan BackoffMin, TimeSpan BackoffMax, double Jitter, bool RetryExitCodes, ImmutableArray<int> FinalExitCodes, bool FailWhenUsedUp)
{
    public static RetryPolicy Default { get; } = new(3, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1), 0.2, RetryExitCodes: false, [], FailWhenUsedUp: false);

    /// <summary>The longest wait there is, with all its jitter.</summary>
    public TimeSpan BackoffMost => BackoffMax * (1 + Jitter);

    /// <param name="failures">Attempts that did not succeed so far, from 1.</param>
    /// <param name="random">In [0, 1).</param>
    public TimeSpan BackoffAfter(int failures, double random)
    {
        double wait = Math.Min(BackoffMin.TotalMilliseconds * Math.Pow(2, Math.Min(failures - 1, 60)), BackoffMax.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(Math.Ceiling(wait * (1 + (Jitter * random))));
    }

    public bool Equals(RetryPolicy? other) =>
        other is not null && Attempts == other.Attempts && BackoffMin == other.BackoffMin && BackoffMax == other.BackoffMax && Jitter.Equals(other.Jitter)
        && RetryExitCodes == other.RetryExitCodes && FailWhenUsedUp == other.FailWhenUsedUp && FinalExitCodes.AsSpan().SequenceEqual(other.FinalExitCodes.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Attempts, BackoffMin, BackoffMax, RetryExitCodes);
}

/// <param name="Queue">Longest wait for the device, counted anew for each wait; null for no limit.</param>
/// <param name="Attempt">Longest single attempt; the executing device ends it.</param>
/// <param name="Total">Longest life of the job since it was accepted.</param>
/// <param name="Heartbeat">An attempt from which nothing was heard for so long is lost.</param>
public sealed record JobTimeouts(TimeSpan? Queue, TimeSpan? Attempt, TimeSpan? Total, TimeSpan Heartbeat)
{
    public static JobTimeouts Default { get; } = new(null, null, null, TimeSpan.FromSeconds(30));
}

/// <summary>The workflow that a job is a step of.</summary>
/// <param name="Workflow">Its whole id.</param>
public sealed record JobOwner(string Workflow, string Step);

/// <summary>Everything about a job that its caller decides. It never changes.</summary>
/// <param name="IdempotencyKey">Null without one; the job id is derived from it.</param>
/// <param name="QueueWhenOffline">Wait for a device that is away; otherwise the submission is refused at once.</param>
public sealed record JobSpec(JobCommand Command, JobTarget Target, Caller Caller, RetryPolicy Retry, JobTimeouts Timeouts, string? IdempotencyKey, bool QueueWhenOffline)
{
    /// <summary>Jobs that must end first; at most <see cref="JobDependency.Max"/>.</summary>
    public ImmutableArray<JobDependency> After { get; init; } = [];

    /// <summary>What it asks for on its device, and how it stands among others that wait.</summary>
    public JobNeeds Needs { get; init; } = JobNeeds.None;

    /// <summary>What a program leaves behind, when it succeeds; at most <see cref="ArtifactNames.CountMax"/>.</summary>
    public ValueList<JobArtifact> Artifacts { get; init; }

    /// <summary>What a program finds when it begins; at most <see cref="ArtifactNames.CountMax"/>.</summary>
    public ValueList<ArtifactInput> Inputs { get; init; }

    /// <summary>Null for a job of its own.</summary>
    public JobOwner? Owner { get; init; }

    /// <summary>Who is told when it has come to rest; null for nobody.</summary>
    public Notify? Notify { get; init; }

    public bool Equals(JobSpec? other) =>
        other is not null && Command.Equals(other.Command) && Target == other.Target && Caller == other.Caller && Retry.Equals(other.Retry) && Timeouts == other.Timeouts
        && IdempotencyKey == other.IdempotencyKey && QueueWhenOffline == other.QueueWhenOffline && Needs == other.Needs
        && After.AsSpan().SequenceEqual(other.After.AsSpan()) && Owner == other.Owner && Artifacts == other.Artifacts && Inputs == other.Inputs && Notify == other.Notify;

    public override int GetHashCode() => HashCode.Combine(Command, Target, IdempotencyKey, After.Length);
}
