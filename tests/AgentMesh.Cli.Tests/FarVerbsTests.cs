using System.CommandLine;
using AgentMesh.Cli.Demo;
using AgentMesh.Cli.Output;
using AgentMesh.Cli.Repl;
using AgentMesh.Cli.Sec;
using AgentMesh.Cli.Verbs;
using AgentMesh.Errors;

namespace AgentMesh.Cli.Tests;

/// <summary>What can be said to another device with --on.</summary>
public sealed class FarVerbsTests
{
    [Theory]
    [InlineData("up")]
    [InlineData("down")]
    [InlineData("doctor")]
    [InlineData("trace")]
    [InlineData("compromised")]
    [InlineData("devices rotate-key")]
    [InlineData("sec create")]
    [InlineData("beacon")]
    [InlineData("demo")]
    [InlineData("version")]
    [InlineData("a verb of tomorrow")]
    public void A_verb_for_this_machine_is_refused(string verb) => Assert.NotNull(FarVerbs.ReasonAgainst(verb));

    /// <summary>Whoever adds a verb decides; until then it is refused, with words that say nothing.</summary>
    [Fact]
    public void Every_verb_there_is_was_decided()
    {
        string undecided = FarVerbs.ReasonAgainst("a verb of tomorrow")!;
        Assert.All(Below(Root()), verb => Assert.NotEqual(undecided, FarVerbs.ReasonAgainst(Usage.Path(verb))));
        Assert.Null(FarVerbs.ReasonAgainst("job cancel"));
        Assert.Null(FarVerbs.ReasonAgainst("devices list"));
    }

    [Theory]
    [InlineData("--on lab job show 1", null)]
    [InlineData("--on lab doctor", "AM0190")]
    [InlineData("--on @lab devices rotate-key", "AM0190")]
    [InlineData("doctor", null)]
    [InlineData("job list --on lab", null)]
    [InlineData("--on lab job list --on gpu", null)]
    [InlineData("script x --on lab", "AM0222")]
    [InlineData("grant laptop run --on lab", "AM0222")]
    [InlineData("run @gpu prog --on lab", null)]
    [InlineData("script -- x --on", null)]
    public void On_counts_before_the_verb_and_is_never_lost(string line, string? code)
    {
        var global = new GlobalOptions();
        ParseResult parsed = Root(global).Parse(line.Split(' '), new ParserConfiguration { ResponseFileTokenReplacer = null });
        Assert.Empty(parsed.Errors);
        Session session = global.Session(parsed);

        MeshException? refused = Record.Exception(() => FarVerbs.Check(session, parsed)) as MeshException;

        Assert.Equal(code, refused?.Code);
        Assert.Equal(line.StartsWith("--on ", StringComparison.Ordinal) ? line.Split(' ')[1] : null, session.On);
    }

    [Fact]
    public void Behind_a_verb_that_has_no_such_option_the_answer_says_where_it_stands()
    {
        using var error = new StringWriter();

        Assert.Equal(CommandRun.MeshFailure, Usage.Refuse(Root().Parse("job cancel 1 --on lab"), error));

        Assert.Contains("next: --on stands before the verb: agentmesh --on DEVICE job cancel", error.ToString(), StringComparison.Ordinal);
    }

    private static RootCommand Root(GlobalOptions? given = null)
    {
        GlobalOptions global = given ?? new GlobalOptions();
        var root = new RootCommand();
        global.AddTo(root);
        foreach (Command verb in (Command[])
        [
            .. NodeVerbs.All(global), .. PeerVerbs.All(global), .. PairingVerbs.All(global), DeviceVerbs.All(global), CompromisedVerb.Create(global), SecVerbs.All(global), PingVerb.Create(global), DoctorVerb.Create(global),
            TraceVerb.Create(global), RunVerbs.Run(global), RunVerbs.Shell(global), PipeVerb.Create(global), MapVerb.Create(global), JobVerbs.All(global), JobVerbs.Logs(global), AttachVerb.Create(global), WatchVerb.Create(global),
            WorkflowVerbs.All(global), GroupVerbs.All(global), ArtifactVerbs.All(global), CronVerbs.All(global), AuditVerb.Create(global), ReplVerb.Create(global), ScriptVerb.Create(global), BeaconVerb.Create(global), DemoVerb.Create(global),
        ])
        {
            root.Subcommands.Add(verb);
        }

        return root;
    }

    private static IEnumerable<Command> Below(Command command) => command.Subcommands.SelectMany(each => Below(each).Prepend(each));
}
