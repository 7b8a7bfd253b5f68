using Scenarios.Harness;

namespace Scenarios;

[Collection("processes")]
public sealed class ReplTests
{
    [Fact]
    public async Task A_script_runs_every_line_and_ends_with_the_exit_code_of_the_first_failure()
    {
        await using TestNode node = await TestNode.StartAsync("one", """{ "commands": { "add": "calc 1+2" } }""");

        Ran script = await node.RunWithInputAsync(
            """
            # a comment, then a local command, an alias, a peer by index and by name
            calc 1+2
            add
            @0 calc 2*21
            @one calc 1+*
            echo after the failure
            peers
            jobs
            exit
            echo never
            """,
            "repl");

        Assert.Contains("Result: 3\n", script.Out, StringComparison.Ordinal);
        Assert.Contains("for command 'add': 3\n", script.Out, StringComparison.Ordinal);
        Assert.Contains("42\n", script.Out, StringComparison.Ordinal);
        Assert.Contains("Result: after the failure\n", script.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("never", script.Out, StringComparison.Ordinal);
        Assert.Contains("position", script.Error, StringComparison.Ordinal);
        Assert.True(script.Code is > 0 and < 255, script.ToString());
    }
}
