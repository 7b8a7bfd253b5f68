using System.Collections.Concurrent;
using AgentMesh.Node.Control;
using Soak.Nodes;
using Soak.Planning;

namespace Soak.Running;

/// <summary>What became of one item of the plan, as the one who typed it saw it.</summary>
internal sealed class Submission(WorkItem item)
{
    private readonly Lock _gate = new();
    private readonly List<JobView> _accepted = [];
    private readonly List<JobView> _ended = [];
    private readonly List<ProblemView> _problems = [];

    public WorkItem Item => item;

    public TimeSpan BeganAt { get; set; }

    public TimeSpan EndedAt { get; set; }

    /// <summary>There was no node, or it went away in the middle of the answer.</summary>
    public string? Lost { get; set; }

    /// <summary>There was no answer long after the timeout.</summary>
    public bool IsHung { get; set; }

    /// <summary>Neither an answer nor a coded error.</summary>
    public string? Broken { get; set; }

    public IReadOnlyList<JobView> Accepted => Copy(_accepted);

    public IReadOnlyList<JobView> Ended => Copy(_ended);

    public IReadOnlyList<ProblemView> Problems => Copy(_problems);

    /// <summary>What the waiting caller saw of the output; null for all but programs.</summary>
    public OutputTape? Tape { get; } = item.Lines is { } lines ? new OutputTape(lines, 0) : null;

    public void Take(CommandEvent happened)
    {
        lock (_gate)
        {
            switch (happened.Type)
            {
                case "accepted":
                    _accepted.Add(happened.Job!);
                    break;
                case "ended":
                    _ended.Add(happened.Job!);
                    break;
                case "problem" or "skipped":
                    _problems.Add(happened.Problem!);
                    break;
                case "output" when Tape is { } tape:
                    tape.Add(happened.Output!.Attempt, happened.Output.Stream, happened.Output.Offset, happened.Output.Data.ToArray());
                    break;
                case "output":
                    Broken = "output of a command that has none";
                    break;
            }
        }
    }

    public void Take(ProblemView problem)
    {
        lock (_gate)
        {
            _problems.Add(problem);
        }
    }

    private T[] Copy<T>(List<T> list)
    {
        lock (_gate)
        {
            return [.. list];
        }
    }
}

/// <param name="Refused">Why it was not cancelled; null where the wish was taken.</param>
internal sealed record Cancellation(string Job, ProblemView? Refused);

/// <summary>A second reader of a program's output.</summary>
/// <param name="IsEnded">It was told that there is no more.</param>
internal sealed record Reading(string Job, OutputTape Tape, bool IsEnded, int Resumed, ProblemView? Refused);

/// <param name="EndedAt">When the node went on, or was up again.</param>
/// <param name="Problem">Why it did not come up again.</param>
internal sealed record FaultRun(Fault Fault, TimeSpan BeganAt, TimeSpan EndedAt, string? Problem)
{
    public bool Overlaps(TimeSpan from, TimeSpan to) => BeganAt <= to && from <= EndedAt;
}

/// <summary>Everything that happened in a run.</summary>
internal sealed class History
{
    public ConcurrentQueue<Submission> Submissions { get; } = [];

    public ConcurrentQueue<UndertakingRun> Undertakings { get; } = [];

    public ConcurrentQueue<Cancellation> Cancellations { get; } = [];

    public ConcurrentQueue<Reading> Readings { get; } = [];

    public ConcurrentQueue<FaultRun> Faults { get; } = [];

    /// <summary>By life: node and process.</summary>
    public ConcurrentDictionary<(string Node, int Process), ConcurrentQueue<MemorySample>> Memory { get; } = [];

    /// <summary>A node was stopped, ended or just back within the window.</summary>
    public bool IsDisturbed(int node, TimeSpan from, TimeSpan to, TimeSpan aftermath) => Faults.Any(run => run.Fault.Hits(node) && run.Overlaps(from - aftermath, to));

    /// <summary>Any node was stopped, ended, cut off or just back within the window.</summary>
    public bool IsAnyDisturbed(TimeSpan from, TimeSpan to, TimeSpan aftermath) => Faults.Any(run => run.Overlaps(from - aftermath, to));

    /// <summary>The process of a node was stopped, ended or just back within the window, whatever was with its connections.</summary>
    public bool WasAway(int node, TimeSpan from, TimeSpan to, TimeSpan aftermath) => Faults.Any(run => run.Fault.Kind != FaultKind.Cut && run.Fault.Hits(node) && run.Overlaps(from - aftermath, to));

    /// <summary>So much of the window a node was stopped or away.</summary>
    public TimeSpan Away(int node, TimeSpan from, TimeSpan to)
    {
        TimeSpan away = TimeSpan.Zero;
        foreach (FaultRun run in Faults.Where(run => run.Fault.Kind != FaultKind.Cut && run.Fault.Hits(node) && run.Overlaps(from, to)))
        {
            away += (run.EndedAt < to ? run.EndedAt : to) - (run.BeganAt > from ? run.BeganAt : from);
        }

        return away;
    }
}
