using Scenarios.Harness;

namespace Scenarios;

public sealed class ScriptTests
{
    [Fact]
    public async Task A_script_uses_results_and_ends_at_the_first_failure()
    {
        await using TestNode node = await TestNode.StartAsync("one");
        string script = Path.Combine(node.Data, "s.txt");
        await File.WriteAllTextAsync(
            script,
            """
            # what a line writes is kept
            total = @one calc 40+2
            words = run -- sh -c 'printf "%s,%s" a "b c"'
            job = run --detach -- true
            @one echo $total $words $1 $name
            run -- printf '%s\n' "$words" $total
            job := $job
            show $job
            run -- sh -c 'exit 3'
            echo never
            """);

        Ran ran = await node.RunAsync("script", script, "an argument", "--set", "name=given");
        Assert.Equal(3, ran.Code);
        Assert.Contains("42 a,b c an argument given\n", ran.Out, StringComparison.Ordinal);
        Assert.Contains("a,b c\n42\n", ran.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("never", ran.Out, StringComparison.Ordinal);
        Assert.Contains("not run", ran.Error, StringComparison.Ordinal);
        Assert.Contains("7 succeeded, 1 failed, 1 not run", ran.Error, StringComparison.Ordinal);

        Ran all = await node.RunAsync("script", script, "1", "--set", "name=x", "--keep-going", "--quiet");
        Assert.Equal(3, all.Code);
        Assert.Contains("never", all.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("succeeded", all.Error, StringComparison.Ordinal);

        Ran bad = await node.RunWithInputAsync("calc 1\necho $nothing\n", "script", "-");
        bad.Refused("AM0225", "stdin:2:6", "nothing");
        Assert.Empty(bad.Out);

        Ran prompt = await node.RunWithInputAsync("x = calc 6*7\necho the answer is $x\nexit\n", "repl");
        Assert.Equal("Result: the answer is 42\n", prompt.Out);
    }
}
