using System.CommandLine;
using AgentMesh.Cli.Verbs;
using AgentMesh.Mesh.Commands;

namespace AgentMesh.Cli.Repl;

/// <summary>Verbs of the command line that mean the same at the prompt.</summary>
internal static class PromptVerbs
{
    public static IReadOnlyList<string> CronVerbNames { get; } = [.. CronVerbs.All(new GlobalOptions()).Subcommands.Select(verb => verb.Name)];

    public static IReadOnlyList<string> WorkflowVerbNames { get; } = [.. WorkflowVerbs.All(new GlobalOptions()).Subcommands.Select(verb => verb.Name)];

    /// <param name="text">Split into words as a shell does.</param>
    public static async Task<int> ExecuteAsync(Session session, string text, CancellationToken cancel)
    {
        var global = new GlobalOptions(session);
        var root = new RootCommand { DeviceVerbs.All(global), CompromisedVerb.Create(global), Sec.SecVerbs.All(global), CronVerbs.All(global), AuditVerb.Create(global), PingVerb.Create(global), DoctorVerb.Create(global), MapVerb.Create(global), RunVerbs.Run(global), PipeVerb.Create(global), ScriptVerb.Create(global), WatchVerb.Create(global), AttachVerb.Create(global), WorkflowVerbs.All(global), GroupVerbs.All(global), ArtifactVerbs.All(global) };
        ParseResult parsed = root.Parse([.. Quoting.Split(text)], new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            return Usage.Refuse(parsed, session.Terminal.Error);
        }

        return await parsed.InvokeAsync(new InvocationConfiguration { Output = session.Terminal.Out, Error = session.Terminal.Error, ProcessTerminationTimeout = null }, cancel).ConfigureAwait(false);
    }
}
