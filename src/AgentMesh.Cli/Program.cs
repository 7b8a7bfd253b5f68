using System.CommandLine;
using System.Reflection;
using AgentMesh.Cli;
using AgentMesh.Cli.Demo;
using AgentMesh.Cli.Output;
using AgentMesh.Cli.Repl;
using AgentMesh.Cli.Sec;
using AgentMesh.Cli.Verbs;
using AgentMesh.Node.Control;

// The quickest verb needs none of the rest.
if (args is ["version"] or ["--version"])
{
    Console.WriteLine(ProductVersion.Text);
    return 0;
}

var global = new GlobalOptions();
var root = new RootCommand("AgentMesh turns the machines you own into one computer. A line that starts with @ runs a command on a device: agentmesh @gpu-box calc 1+2");
foreach (Option builtIn in root.Options.OfType<VersionOption>().ToArray())
{
    root.Options.Remove(builtIn);
}

global.AddTo(root);
foreach (Command verb in (Command[])[.. NodeVerbs.All(global), .. PeerVerbs.All(global), .. PairingVerbs.All(global)])
{
    root.Subcommands.Add(verb);
}

root.Subcommands.Add(DeviceVerbs.All(global));
root.Subcommands.Add(CompromisedVerb.Create(global));
root.Subcommands.Add(SecVerbs.All(global));
root.Subcommands.Add(PingVerb.Create(global));
root.Subcommands.Add(DoctorVerb.Create(global));
root.Subcommands.Add(TraceVerb.Create(global));
root.Subcommands.Add(RunVerbs.Run(global));
root.Subcommands.Add(RunVerbs.Shell(global));
root.Subcommands.Add(PipeVerb.Create(global));
root.Subcommands.Add(MapVerb.Create(global));
root.Subcommands.Add(JobVerbs.All(global));
root.Subcommands.Add(JobVerbs.Logs(global));
root.Subcommands.Add(AttachVerb.Create(global));
root.Subcommands.Add(WatchVerb.Create(global));
root.Subcommands.Add(WorkflowVerbs.All(global));
root.Subcommands.Add(GroupVerbs.All(global));
root.Subcommands.Add(ArtifactVerbs.All(global));
root.Subcommands.Add(CronVerbs.All(global));
root.Subcommands.Add(AuditVerb.Create(global));
root.Subcommands.Add(ReplVerb.Create(global));
root.Subcommands.Add(ScriptVerb.Create(global));
root.Subcommands.Add(BeaconVerb.Create(global));
root.Subcommands.Add(DemoVerb.Create(global));
root.Subcommands.Add(global.Verb("version", "Print the version.", [], (session, _, _) =>
{
    session.Terminal.Out.WriteLine(ProductVersion.Text);
    return Task.FromResult(0);
}));
root.Subcommands.Add(new Command("test", "Run every test of this source tree (only as ./agentmesh test)."));

var options = new SubmitOptions();
foreach (Symbol symbol in options.All)
{
    // They may stand before a line that starts with @.
    ((Option)symbol).Hidden = true;
    root.Options.Add((Option)symbol);
}

// '@name' means a device here, not a file with further arguments.
var parsing = new ParserConfiguration { ResponseFileTokenReplacer = null };
int at = Array.FindIndex(args, word => word.StartsWith('@') && word.Length > 1);
if (at > 0 && args[at - 1] == FarVerbs.Option)
{
    // '--on @lab': the device that is asked, and not the one of a line.
    at = Array.FindIndex(args, at + 1, word => word.StartsWith('@') && word.Length > 1);
}

bool verbBefore = at > 0 && args.Take(at).Any(word => root.Subcommands.Any(verb => verb.Name == word));
if (at >= 0 && !verbBefore)
{
    // Everything from the @ on is the line: nothing in it is an option of ours.
    ParseResult before = root.Parse([.. args[..at], "version"], parsing);
    if (before.Errors.Count == 0)
    {
        using var interrupted = new CancellationTokenSource();
        Console.CancelKeyPress += (_, press) =>
        {
            press.Cancel = true;
            interrupted.Cancel();
        };
        Session session = global.Session(before);
        return await GlobalOptions.GuardAsync(
            session, guarded => RunVerbs.AtLine(guarded, args[at..], options.Apply(new CommandRequest(), before), interrupted.Token), interrupted.Token).ConfigureAwait(false);
    }

    if (before.UnmatchedTokens.Count == 0)
    {
        return Usage.Refuse(before, Console.Error);
    }
}

ParseResult parsed = root.Parse(Usage.Normal(args), parsing);
if (parsed.Errors.Count > 0)
{
    return Usage.Refuse(parsed, Console.Error);
}

var invocation = new InvocationConfiguration();
if (parsed.CommandResult.Command.Name == AttachVerb.Name)
{
    // What is left after Ctrl+C asks its device first to wait for the next one.
    invocation.ProcessTerminationTimeout = TimeSpan.FromSeconds(20);
}
else if (parsed.CommandResult.Command.Name == DemoVerb.Name)
{
    // After Ctrl+C the demo ends its nodes, and removes its network and its files.
    invocation.ProcessTerminationTimeout = TimeSpan.FromSeconds(60);
}

return await parsed.InvokeAsync(invocation).ConfigureAwait(false);
