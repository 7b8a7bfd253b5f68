using System.CommandLine;
using AgentMesh.Cli.Verbs;
using AgentMesh.Errors;

namespace AgentMesh.Cli.Tests;

public sealed class UsageTests
{
    [Theory]
    [InlineData("jbo", "did you mean 'job'? agentmesh --help shows the verbs")]
    [InlineData("job lst", "did you mean 'list'? agentmesh job --help")]
    [InlineData("job list --sate failed", "did you mean '--state'? agentmesh job list --help")]
    [InlineData("job list --data x", "did you mean '--data-dir'? agentmesh job list --help")]
    [InlineData("job unheard-of", "next: agentmesh job --help")]
    public void A_slip_is_answered_with_what_was_meant(string line, string next)
    {
        var global = new GlobalOptions();
        var root = new RootCommand();
        global.AddTo(root);
        root.Subcommands.Add(JobVerbs.All(global));
        using var error = new StringWriter();

        int code = Usage.Refuse(root.Parse(line.Split(' ')), error);

        Assert.Equal(CommandRun.MeshFailure, code);
        Assert.StartsWith("agentmesh: AM0222: ", error.ToString(), StringComparison.Ordinal);
        Assert.Contains(next, error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("run @gpu --evn A=1 -- env", "--evn", "'--evn' is no option of run", "did you mean '--env'?")]
    [InlineData("run @gpu --evn A=1", "--evn", "'--evn' is no option of run", "did you mean '--env'?")]
    [InlineData("run @gpu -- --evn", "--evn", null, null)]
    [InlineData("run @gpu ls --all", "ls", null, null)]
    public void An_option_that_there_is_not_is_no_program(string line, string program, string? problem, string? next)
    {
        var root = new RootCommand { RunVerbs.Run(new GlobalOptions()) };
        ParseResult parsed = root.Parse(line.Split(' '));

        MeshException? refused = Record.Exception(() => Usage.CheckProgram(parsed, program)) as MeshException;

        Assert.Equal(problem, refused?.Message);
        Assert.True(next is null || refused!.NextStep!.StartsWith(next, StringComparison.Ordinal), refused?.NextStep);
    }
}
