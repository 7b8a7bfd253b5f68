using System.CommandLine;
using AgentMesh.Cli.Verbs;

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
}
