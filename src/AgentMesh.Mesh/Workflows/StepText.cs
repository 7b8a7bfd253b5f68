using System.Collections.Immutable;
using System.Text;
using AgentMesh.Mesh.Jobs;

namespace AgentMesh.Mesh.Workflows;

/// <summary>
/// The variables in the text of a step:
/// <code>
/// {{vars.NAME}}            a variable of the workflow
/// {{steps.STEP.FIELD}}     of a step that is over: result, exit-code, state, device, job
/// {{workflow.FIELD}}       id, name
/// </code>
/// Spaces inside the braces do not matter. Braces around anything but names with dots between are left as they are.
/// </summary>
internal static class StepText
{
    public const string Variables = "vars", Steps = "steps", Workflow = "workflow";

    public static readonly ImmutableArray<string> Roots = [Variables, Steps, Workflow];
    public static readonly ImmutableArray<string> StepFields = ["result", "exit-code", "state", "device", "job"];
    public static readonly ImmutableArray<string> WorkflowFields = ["id", "name"];

    /// <param name="At">Index of the first brace.</param>
    internal readonly record struct Reference(int At, int Length, ImmutableArray<string> Names);

    public static IEnumerable<Reference> In(string text)
    {
        for (int open = text.IndexOf("{{", StringComparison.Ordinal); open >= 0; open = text.IndexOf("{{", open, StringComparison.Ordinal))
        {
            int close = text.IndexOf("}}", open, StringComparison.Ordinal);
            if (close < 0)
            {
                yield break;
            }

            string[] names = text[(open + 2)..close].Trim().Split('.');
            if (names.Length < 2 || !names.All(IsName))
            {
                open += 2;
                continue;
            }

            yield return new Reference(open, close + 2 - open, [.. names]);
            open = close + 2;
        }
    }

    /// <summary>Every text of a step in which variables count.</summary>
    public static IEnumerable<string> Of(JobCommand command) => [command.Line, .. command.Words, .. command.Environment.Values, command.Directory ?? ""];

    /// <param name="valueOf">Throws for what has no value.</param>
    public static JobCommand Fill(StepSpec step, Func<Reference, string> valueOf)
    {
        JobCommand command = step.Job.Command;
        int last = command.Words.Length - 1;
        return command with
        {
            Line = Fill(command.Line, valueOf),
            Words = [.. command.Words.Select((word, index) => Fill(word, step.IsShell && index == last ? reference => Quoted(valueOf(reference)) : valueOf))],
            Environment = command.Environment.ToImmutableSortedDictionary(pair => pair.Key, pair => Fill(pair.Value, valueOf), StringComparer.Ordinal),
            Directory = command.Directory is { } directory ? Fill(directory, valueOf) : null,
        };
    }

    public static string Fill(string text, Func<Reference, string> valueOf)
    {
        StringBuilder? filled = null;
        int at = 0;
        foreach (Reference reference in In(text))
        {
            filled = (filled ?? new StringBuilder()).Append(text, at, reference.At - at).Append(valueOf(reference));
            at = reference.At + reference.Length;
        }

        return filled?.Append(text, at, text.Length - at).ToString() ?? text;
    }

    /// <summary>As one word of a POSIX shell, whatever it holds.</summary>
    private static string Quoted(string value) => "'" + value.Replace("'", "'\\''", StringComparison.Ordinal) + "'";

    private static bool IsName(string name) => name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}
