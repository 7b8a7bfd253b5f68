using AgentMesh.Cli.Output;
using AgentMesh.Cli.Verbs;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Tests;

public sealed class WorkflowTreeTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void A_step_stands_below_the_last_that_it_needs_and_names_the_others()
    {
        string text = Drawn(
            Step("both", "waiting", "left", "any:right") with { Reason = "after right" },
            Step("fetch", "completed") with { BeganAt = Start, EndedAt = Start.AddSeconds(2), Generation = 1, Jobs = [Job("laptop", "done")] },
            Step("left", "failed", "fetch") with { BeganAt = Start, Generation = 1, Problem = new ProblemView("AM0323", "gpu: exit code 1", null), Jobs = [Job("gpu", null)] },
            Step("right", "running", "fetch") with { BeganAt = Start.AddSeconds(2), Generation = 1, Jobs = [Job("lab", null)] });
        Assert.Equal(
            """
            nightly w-1234567 paused 5.0 s
            └── fetch completed on laptop 2.0 s: done
                ├── left failed on gpu 5.0 s: AM0323: gpu: exit code 1
                └── right running on lab 3.0 s
                    └── both waiting (also after left): after right
            """,
            text);
    }

    [Fact]
    public void What_a_program_wrote_moves_no_cursor_and_is_no_markup()
    {
        string text = Drawn(Step("a", "completed") with { BeganAt = Start, EndedAt = Start, Generation = 1, Jobs = [Job("laptop", "[red]\u001b[2J\u0007x[/]\nsecond")] });
        Assert.EndsWith("0.0 s: [red] [2J x[/]", text, StringComparison.Ordinal);
    }

    private static string Drawn(params WorkflowStepView[] steps)
    {
        var output = new StringWriter();
        Terminal terminal = Terminal.Create(json: false, noColour: true, output, TextWriter.Null);
        var workflow = new WorkflowView("workflow/x", "w-1234567", "nightly", "paused", Start, null, null, null, null, new Dictionary<string, string>(), steps);
        terminal.Console.Write(WorkflowTree.Of(workflow, Start.AddSeconds(5)));
        return string.Join('\n', output.ToString().ReplaceLineEndings("\n").TrimEnd('\n').Split('\n').Select(line => line.TrimEnd()));
    }

    private static WorkflowStepView Step(string name, string state, params string[] needs) => new(name, state, "", "run", needs, false, 0, false, null, null, null, null, []);

    private static WorkflowJobView Job(string device, string? result) => new("job/x", "1234567", device, "running", null, result, null, null, []);
}
