using Scenarios.Harness;

namespace Scenarios;

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

    [Fact]
    public async Task A_person_finds_earlier_lines_and_looks_at_jobs_from_the_prompt()
    {
        await using TestNode node = await TestNode.StartAsync("one");
        string job = (await node.RunAsync("run", "--detach", "--", "sh", "-c", "echo '::progress 1/4 epoch 1'; sleep 300")).Done().Trim();
        await Eventually.HoldsAsync(async () => (await node.JobAsync(job)).Progress is not null, "it says how far it is");
        using TestTerminal person = TestTerminal.Start(node, 120, 30, "repl");
        await person.SeesAsync("> ");
        person.Type("echo alpha-1\r");
        await person.SeesAsync("Result: alpha-1");
        person.Type("echo beta-1\r");
        await person.SeesAsync("Result: beta-1");

        // Ctrl+R finds the older one, End makes it the line, and it is edited.
        person.Type("\u0012alp");
        await person.SeesAsync("(reverse-i-search)`alp': echo alpha-1");
        person.Type("\u0005-again\r");
        await person.SeesAsync("Result: alpha-1-again");

        // Back, then forward.
        person.Type("\u0012echo");
        await person.SeesAsync("`echo': echo alpha-1-again");
        person.Type("\u0012");
        await person.SeesAsync("`echo': echo beta-1");
        person.Type("\u0013");
        await person.SeesAsync("(i-search)`echo': echo alpha-1-again");
        person.Type("\u0007");

        // Up goes over lines that begin as what is typed.
        person.Type("echo b\u001b[A2\r");
        await person.SeesAsync("Result: beta-12");

        // The panel, and the key that ends it goes into the line.
        person.Type("\u0014");
        await person.SeesAsync("any key goes on");
        await person.SeesAsync("[####------------]  25 % epoch 1");
        person.Type("echo seen\r");
        await person.SeesAsync("Result: seen");

        person.Type($"attach --tail 1 {job}\r");
        await person.SeesAsync("::progress 1/4 epoch 1\r\n");
        person.Type("\u0003");
        await person.SeesAsync("it goes on: ");
        person.Type("exit\r");
        Assert.Equal(0, await person.ExitAsync());
        Assert.Equal("running", (await node.JobAsync(job)).State);
        (await node.RunAsync("job", "cancel", job)).Done();
    }
}
