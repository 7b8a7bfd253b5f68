using System.CommandLine;
using AgentMesh.Cli.Output;
using AgentMesh.Errors;

namespace AgentMesh.Cli.Verbs;

/// <summary>The options that every verb takes, and the frame every verb runs in.</summary>
/// <param name="given">Where the verbs run in, when it is not what these options say: at the prompt.</param>
internal sealed class GlobalOptions(Session? given = null)
{
    private readonly Option<bool> _json = new("--json") { Description = "Answer with JSON (fields: docs/control-api.md).", Recursive = true };
    private readonly Option<bool> _noColour = new("--no-color") { Description = "No colours.", Recursive = true };
    private readonly Option<bool> _noProgress = new("--no-progress") { Description = "No lines that are drawn over while something goes on.", Recursive = true };
    private readonly Option<string?> _data = new("--data-dir") { Description = "The data directory of the device (default: AGENTMESH_DATA_DIR, else ~/.local/share/agentmesh).", Recursive = true };
    private readonly Option<string?> _config = new("--config") { Description = "A configuration file (HOCON or peer_config.json).", Recursive = true };
    private readonly Option<TimeSpan?> _timeout = new("--timeout") { Description = "Give up waiting after this long, for example 10s; an accepted job goes on.", Recursive = true, CustomParser = Durations.Parse };

    /// <summary>Not on every verb: several have an option of this name, which says where something is to run.</summary>
    private readonly Option<string?> _on = new(FarVerbs.Option) { Description = "Before the verb: ask another device in place of this one, as its owner does; needs the grant 'admin' there (docs/trust.md)." };

    public void AddTo(Command root)
    {
        foreach (Option option in new Option[] { _on, _json, _noColour, _noProgress, _data, _config, _timeout })
        {
            root.Options.Add(option);
        }
    }

    public Command Verb(string name, string description, Symbol[] symbols, Func<Session, ParseResult, CancellationToken, Task<int>> run)
    {
        var verb = new Command(name, description);
        foreach (Symbol symbol in symbols)
        {
            if (symbol is Option option)
            {
                verb.Options.Add(option);
            }
            else
            {
                verb.Arguments.Add((Argument)symbol);
            }
        }

        verb.SetAction((parsed, cancel) => GuardAsync(
            Session(parsed),
            session =>
            {
                FarVerbs.Check(session, parsed);
                return run(session, parsed, cancel);
            },
            cancel));
        return verb;
    }

    /// <summary>Every failure of the mesh ends here: its code, its text, the next step, exit code 255.</summary>
    public static async Task<int> GuardAsync(Session session, Func<Session, Task<int>> run, CancellationToken cancel)
    {
        try
        {
            return await run(session).ConfigureAwait(false);
        }
        catch (MeshException problem)
        {
            session.Terminal.Problem(problem);
            return CommandRun.MeshFailure;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return 130;
        }
    }

    public Session Session(ParseResult parsed) => given ?? new(
        Terminal.Create(parsed.GetValue(_json), parsed.GetValue(_noColour), noProgress: parsed.GetValue(_noProgress)),
        parsed.GetValue(_data),
        parsed.GetValue(_config),
        parsed.GetValue(_timeout),
        new Dictionary<string, string>(StringComparer.Ordinal))
    {
        On = parsed.GetValue(_on),
    };
}
