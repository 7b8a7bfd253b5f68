using System.CommandLine;
using AgentMesh.Cli.Verbs;

namespace AgentMesh.Cli.Tests;

public sealed class OptionNamesTests
{
    /// <summary>Of two options with one name the first that was added would take it, and nobody would be told.</summary>
    [Fact]
    public void No_verb_has_two_options_of_one_name()
    {
        var global = new GlobalOptions();
        var root = new RootCommand();
        global.AddTo(root);
        foreach (Command verb in (Command[])
        [
            .. NodeVerbs.All(global), .. PeerVerbs.All(global), .. PairingVerbs.All(global), RunVerbs.Run(global), MapVerb.Create(global), JobVerbs.All(global), WorkflowVerbs.All(global),
            CronVerbs.All(global), AuditVerb.Create(global), WatchVerb.Create(global), ScriptVerb.Create(global), ArtifactVerbs.All(global), GroupVerbs.All(global),
        ])
        {
            root.Subcommands.Add(verb);
        }

        string[] shared = [.. root.Options.Where(option => option.Recursive).SelectMany(Names)];
        Assert.All(Below(root), verb =>
        {
            string[] names = [.. verb.Options.Where(option => !root.Options.Contains(option)).SelectMany(Names), .. shared];
            Assert.Equal(names.Distinct(StringComparer.Ordinal), names);
        });
    }

    private static IEnumerable<Command> Below(Command command) => command.Subcommands.SelectMany(each => Below(each).Prepend(each));

    private static IEnumerable<string> Names(Option option) => option.Aliases.Prepend(option.Name);
}
