using System.Globalization;
using AgentMesh.Node.Control;
using Spectre.Console;

namespace AgentMesh.Cli.Verbs;

/// <summary>A workflow as a tree: each step below the last of those that it needs; the others are named beside it.</summary>
internal static class WorkflowTree
{
    private const int NoteCharsMax = 160;

    public static Tree Of(WorkflowView workflow, DateTimeOffset now)
    {
        var tree = new Tree(new Markup($"[bold]{Markup.Escape(workflow.Name)}[/] {Markup.Escape(workflow.ShortId)} {Coloured(workflow.State)} {Markup.Escape(Durations.Seconds((workflow.EndedAt ?? now) - workflow.CreatedAt))}"));
        var nodes = new Dictionary<string, TreeNode>(StringComparer.Ordinal);
        WorkflowStepView[] open = [.. workflow.Steps];
        while (open.Length > 0)
        {
            // A step stands behind everything that it needs; there is no circle, so each round places one.
            WorkflowStepView next = open.First(step => step.Needs.All(need => nodes.ContainsKey(NameOf(need))));
            string? parent = next.Needs.Count > 0 ? NameOf(next.Needs[^1]) : null;
            var label = new Markup(Line(next, now));
            nodes[next.Name] = parent is null ? tree.AddNode(label) : nodes[parent].AddNode(label);
            open = [.. open.Where(step => step.Name != next.Name)];
        }

        return tree;
    }

    public static string Devices(WorkflowStepView step) => step.Jobs.Count switch
    {
        0 => step.On.Length > 0 ? step.On : "(this device)",
        <= 3 => string.Join(", ", step.Jobs.Select(job => job.Device)),
        _ => string.Create(CultureInfo.InvariantCulture, $"{step.Jobs.Count} devices, {step.Jobs.Count(job => job.State != "running")} done"),
    };

    public static string Took(WorkflowStepView step, DateTimeOffset now) => step.BeganAt is { } began && step.Generation > 0 ? Durations.Seconds((step.EndedAt ?? now) - began) : "-";

    /// <summary>Why it waits or failed, or what came of it; one line.</summary>
    public static string Note(WorkflowStepView step)
    {
        string text = step.Problem is { } problem && step.State is "failed" ? $"{problem.Code}: {problem.Message}"
            : step.Reason ?? (step.Taken ? "taken over" : step.Jobs is [{ Result: { Length: > 0 } result }] ? result : "");


        // What a program wrote must not move the cursor.
        string line = string.Concat(text.ReplaceLineEndings("\n").Split('\n')[0].Select(c => char.IsControl(c) ? ' ' : c));
        return line.Length > NoteCharsMax ? line[..NoteCharsMax] : line;
    }

    private static string Line(WorkflowStepView step, DateTimeOffset now)
    {
        string also = step.Needs.Count > 1 ? $" (also after {string.Join(", ", step.Needs.SkipLast(1))})" : "";
        string where = step.State is "waiting" or "omitted" or "skipped" ? "" : $" on {Devices(step)} {Took(step, now)}";
        string note = Note(step);
        return $"{Markup.Escape(step.Name)} {Coloured(step.State)}{Markup.Escape(where)}[grey]{Markup.Escape(also)}[/]{(note.Length > 0 ? Markup.Escape($": {note}") : "")}";
    }

    private static string Coloured(string state) => state switch
    {
        "completed" => $"[green]{state}[/]",
        "failed" or "cancelled" => $"[red]{state}[/]",
        "paused" or "skipped" => $"[yellow]{state}[/]",
        "running" => $"[blue]{state}[/]",
        _ => $"[grey]{state}[/]",
    };

    private static string NameOf(string need) => need[(need.IndexOf(':', StringComparison.Ordinal) + 1)..];
}
