using System.CommandLine;
using AgentMesh.Cli.Sec;
using AgentMesh.Cli.Verbs;
using AgentMesh.Mesh.Commands;

namespace AgentMesh.Cli.Repl;

/// <summary>Verbs of the command line that mean the same at the prompt.</summary>
internal static class PromptVerbs
{
    /// <summary>Those that are about this device and its jobs; those that begin or end a node are for the command line.</summary>
    private static readonly string[] OfNode = ["config", "grant", "rename", "forget", "invitations"];

    private static readonly Lazy<IReadOnlyList<Command>> Known = new(() => Of(new GlobalOptions()));

    /// <summary>To look at: they run nowhere.</summary>
    public static IReadOnlyList<Command> All => Known.Value;

    public static Command? Find(string name) => All.FirstOrDefault(verb => verb.Name == name);

    /// <param name="text">Split into words as a shell does.</param>
    public static async Task<int> ExecuteAsync(Session session, string text, CancellationToken cancel)
    {
        var root = new RootCommand();
        foreach (Command verb in Of(new GlobalOptions(session)))
        {
            root.Subcommands.Add(verb);
        }

        ParseResult parsed = root.Parse([.. Quoting.Split(text)], new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            return Usage.Refuse(parsed, session.Terminal.Error);
        }

        return await parsed.InvokeAsync(new InvocationConfiguration { Output = session.Terminal.Out, Error = session.Terminal.Error, ProcessTerminationTimeout = null }, cancel).ConfigureAwait(false);
    }

    private static IReadOnlyList<Command> Of(GlobalOptions global) =>
    [
        DeviceVerbs.All(global), CompromisedVerb.Create(global), SecVerbs.All(global), CronVerbs.All(global), AuditVerb.Create(global), PingVerb.Create(global), DoctorVerb.Create(global), MapVerb.Create(global),
        RunVerbs.Run(global), RunVerbs.Shell(global), PipeVerb.Create(global), ScriptVerb.Create(global), WatchVerb.Create(global), AttachVerb.Create(global), WorkflowVerbs.All(global), GroupVerbs.All(global),
        ArtifactVerbs.All(global), JobVerbs.All(global), .. NodeVerbs.All(global).Concat(PeerVerbs.All(global)).Concat(PairingVerbs.All(global)).Where(verb => OfNode.Contains(verb.Name)),
    ];
}
