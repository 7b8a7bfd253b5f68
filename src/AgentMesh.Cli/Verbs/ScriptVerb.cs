using System.CommandLine;
using AgentMesh.Cli.Client;
using AgentMesh.Cli.Output;
using AgentMesh.Cli.Repl;
using AgentMesh.Cli.Scripts;
using AgentMesh.Errors;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>The verb <c>script</c>.</summary>
internal static class ScriptVerb
{
    public static Command Create(GlobalOptions global)
    {
        var file = new Argument<string>("FILE") { Description = "Lines as at the prompt, with variables (docs/scripts.md); - for standard input." };
        var arguments = new Argument<string[]>("ARGUMENT") { Description = "$1 to $9 in the script.", Arity = new ArgumentArity(0, 9) };
        var set = new Option<string[]>("--set") { Description = "name=TEXT: a variable that the script has from the start; may be repeated." };
        var goOn = new Option<bool>("--keep-going") { Description = "Go on after a line that failed, as with 'set +e' in its first line." };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "No summary." };
        return global.Verb("script", "Run a file of lines; the first that fails ends it.", [file, arguments, set, goOn, quiet], async (session, parsed, cancel) =>
        {
            var variables = new Variables();
            variables.SetArguments(parsed.GetValue(arguments) ?? []);
            foreach (string each in parsed.GetValue(set) ?? [])
            {
                Set(variables, each);
            }

            string path = parsed.GetValue(file)!;
            IReadOnlyList<ScriptLine> script = ScriptFile.Read(path == "-" ? "stdin" : path, await TextAsync(path, cancel).ConfigureAwait(false), variables);
            using ControlClient client = session.Connect();

            // Fails here, and not at the first line, where no node runs.
            _ = await client.GetAsync("v1/status", ControlJson.Default.StatusView, cancel).ConfigureAwait(false);
            var run = new ScriptRun(new ReplLines(session, client, variables) { IsScript = true }, TimeProvider.System);
            int code = await run.ExecuteAsync(script, parsed.GetValue(goOn), cancel).ConfigureAwait(false);
            if (session.Terminal.Json)
            {
                session.Terminal.PrintJson(new ScriptSummary(code, run.Steps), ScriptJson.Default.ScriptSummary);
            }
            else if (!parsed.GetValue(quiet))
            {
                run.Summarise(session);
            }

            return code;
        });
    }

    private static void Set(Variables variables, string given)
    {
        int equals = given.IndexOf('=', StringComparison.Ordinal);
        if (equals < 1 || !Reference.IsName(given.AsSpan(0, equals)))
        {
            throw new MeshException(CliErrors.Usage, $"--set '{given}' is not name=TEXT", "a name is letters, digits and _, for example --set rate=0.2");
        }

        variables.TrySet(given[..equals], given[(equals + 1)..]);
    }

    private static Task<string> TextAsync(string path, CancellationToken cancel) => TextFile.ReadAsync(
        path,
        ScriptFile.BytesMax,
        CliErrors.Script,
        "give the path of a file, or - for standard input",
        (CliErrors.Script, "a script of that size is data: give it to a program, or use 'map --params'"),
        cancel);
}
