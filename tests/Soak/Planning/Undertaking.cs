using System.Globalization;

namespace Soak.Planning;

/// <summary>Something that one device takes over, and that becomes several jobs.</summary>
/// <param name="At">Since the begin of the run.</param>
/// <param name="Home">Where it is typed.</param>
/// <param name="Tag">Its key where it has one, and an argument of its programs.</param>
internal abstract record Undertaking(TimeSpan At, int Home, string Tag)
{
    public abstract string What { get; }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{At.TotalSeconds,8:0.000} {Tag} n{Home} {What}");
}

/// <summary>One command for each of some numbers, on whichever device has the least to do.</summary>
/// <param name="IsProgram">A program that prints its answer, in place of a calculation.</param>
internal sealed record ArrayUndertaking(TimeSpan At, int Home, string Tag, int First, int Count, int Parallel, int Added, bool IsProgram) : Undertaking(At, Home, Tag)
{
    private const int Factor = 17;

    public string Range => string.Create(CultureInfo.InvariantCulture, $"{First}-{First + Count - 1}%{Parallel}");

    public string Line => string.Create(CultureInfo.InvariantCulture, $"calc {{}}*{Factor}+{Added}");

    /// <summary>The program tells that it began, works for a second, and prints.</summary>
    public string[] Words(string marks) => ["sh", "-c", string.Create(CultureInfo.InvariantCulture, $"{Marks.Begin}; sleep 1; echo \"$0 $(($1*{Factor}+{Added}))\""), Tag, "{}", marks];

    public string Answer(int number) => ((number * Factor) + Added).ToString(CultureInfo.InvariantCulture);

    public string Printed(int number) => $"{Tag} {Answer(number)}\n";

    public override string What => $"array {Range}{(IsProgram ? " of programs" : "")}";
}

/// <summary>Numbered lines that go from device to device.</summary>
/// <param name="Through">The devices of the stages; the first one prints.</param>
internal sealed record PipeUndertaking(TimeSpan At, int Home, string Tag, IReadOnlyList<int> Through, NumberedLines Lines, TimeSpan Timeout) : Undertaking(At, Home, Tag)
{
    public string Line(Func<int, string> nameOf) => string.Join(
        " | ", Through.Select((node, stage) => $"@{nameOf(node)} run -- {string.Join(' ', (stage == 0 ? Lines.Words : ["sh", "-c", "exec cat", Tag]).Select(word => $"'{word}'"))}"));

    public override string What => $"pipe {string.Join(" | ", Through.Select(node => $"n{node}"))}: {Lines}";
}

/// <param name="Needs">Indices of earlier steps; the value of a step is its own plus theirs.</param>
internal sealed record PlannedStep(int Target, int Own, IReadOnlyList<int> Needs, bool IsProgram)
{
    public static string NameOf(int index) => string.Create(CultureInfo.InvariantCulture, $"s{index}");
}

/// <summary>Steps whose values are sums of those that they need.</summary>
internal sealed record WorkflowUndertaking(TimeSpan At, int Home, string Tag, IReadOnlyList<PlannedStep> Steps) : Undertaking(At, Home, Tag)
{
    public int ValueOf(int step) => Steps[step].Own + Steps[step].Needs.Sum(ValueOf);

    public string File(Func<int, string> nameOf, string marks) => $"name: {Tag}\nsteps:\n" + string.Concat(Steps.Select((step, index) =>
    {
        string sum = string.Join('+', step.Needs.Select(need => $"{{{{steps.{PlannedStep.NameOf(need)}.result}}}}").Prepend(step.Own.ToString(CultureInfo.InvariantCulture)));
        string command = step.IsProgram
            ? $"    run: [sh, -c, '{Marks.Begin}; sleep 1; echo $(({sum}))', {Tag}, '', '{marks}']\n"
            : $"    command: calc {sum}\n";
        return $"  - name: {PlannedStep.NameOf(index)}\n    on: '@{nameOf(step.Target)}'\n    needs: [{string.Join(", ", step.Needs.Select(PlannedStep.NameOf))}]\n{command}";
    }));

    public override string What => $"workflow {string.Join(' ', Steps.Select((step, index) => $"{PlannedStep.NameOf(index)}{(step.Needs.Count > 0 ? $"<{string.Join(',', step.Needs)}" : "")}@n{step.Target}"))}";
}

/// <summary>A calculation each minute until the faults are over.</summary>
internal sealed record CronUndertaking(TimeSpan At, int Home, string Tag, int Target, string Missed, string Overlap, int Left, int Right) : Undertaking(At, Home, Tag)
{
    public string Line => string.Create(CultureInfo.InvariantCulture, $"calc {Left}*{Right}");

    public string Answer => ((long)Left * Right).ToString(CultureInfo.InvariantCulture);

    public override string What => $"schedule for n{Target}, missed {Missed}, overlap {Overlap}: {Line}";
}

/// <summary>Lines that programs write to a file that is none of the mesh's, to see from outside what really ran.</summary>
internal static class Marks
{
    /// <summary>In a shell whose second argument is the file.</summary>
    public const string Begin = "echo \"+ $AGENTMESH_JOB $AGENTMESH_ATTEMPT $(date +%s%N)\" >> \"$2\"";

    /// <summary>Runs a program between two marks; the file is the first argument.</summary>
    public static string[] Around(string file, IEnumerable<string> program) =>
        ["sh", "-c", "f=$0; m() { echo \"$1 $AGENTMESH_JOB $AGENTMESH_ATTEMPT $(date +%s%N)\" >> \"$f\"; }; m +; \"$@\"; c=$?; m -; exit $c", file, .. program];
}
