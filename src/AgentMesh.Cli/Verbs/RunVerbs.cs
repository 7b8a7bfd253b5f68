using System.CommandLine;
using AgentMesh.Cli.Interactive;
using AgentMesh.Errors;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>run, and the line that starts with @.</summary>
internal static class RunVerbs
{
    public static Command Run(GlobalOptions global)
    {
        var target = new Argument<string>("TARGET") { Description = "@name, @index, @id-prefix, @all, @label:gpu, @any:gpu, or several with commas between; this device when it is left out (docs/selectors.md)." };
        var line = new Argument<string[]>("PROGRAM") { Description = "After --: the program and its arguments, passed on as they are.", Arity = ArgumentArity.ZeroOrMore };
        var array = new Option<string?>("--array") { Description = "A job for each number, for example 0-99%8 (eight at a time) or 1,5,10-20:2; {} in the command is the number (docs/arrays.md)." };
        var parallel = new Option<int?>("--max-parallel") { Description = "With --array: elements at the same time (default: one on each device)." };
        var input = new Option<bool>("--interactive", "-i") { Description = "Standard input goes to the program: cat FILE | agentmesh run -i @peer -- sort (docs/interactive.md)." };
        var tty = new Option<bool>("--tty", "-t") { Description = "The program gets a terminal: run -it @peer -- vim. Enter ~ . ends it, Ctrl-P Ctrl-Q leaves it running." };
        var options = new SubmitOptions();
        return global.Verb("run", "Run a program on a device: run @peer -- PROGRAM ARGS.", [target, line, input, tty, array, parallel, .. options.All], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            string first = parsed.GetValue(target)!;
            string[] rest = parsed.GetValue(line) ?? [];
            bool named = first.StartsWith('@');
            if (named && rest.Length == 0)
            {
                throw new MeshException(CliErrors.Usage, "no program is named", "write: agentmesh run @peer -- PROGRAM ARGUMENTS");
            }

            Usage.CheckProgram(parsed, named ? rest[0] : first);
            CommandRequest request = options.Apply(new CommandRequest(Target: named ? first : null, Arguments: named ? rest : [first, .. rest]), parsed);
            if (parsed.GetValue(input) || parsed.GetValue(tty))
            {
                return parsed.GetValue(array) is null
                    ? await new InteractiveRun(client, session.Terminal).ExecuteAsync(session.Limit(request), parsed.GetValue(tty), cancel).ConfigureAwait(false)
                    : throw new MeshException(CliErrors.Usage, "an array takes no input", "leave -i and -t out");
            }

            if (parsed.GetValue(array) is { } range)
            {
                if (request.Artifacts is { Count: > 0 } || request.Inputs is { Count: > 0 })
                {
                    throw new MeshException(CliErrors.Usage, "an array has no artifacts", "use a workflow, or a job for each");
                }

                if (request.After is { Count: > 0 })
                {
                    throw new MeshException(CliErrors.Usage, "an array cannot begin after another job", "leave --after out, or submit the array when that job is over");
                }

                var wanted = new ArrayRequest(null, request.Target, request.Arguments, range, null, null, parsed.GetValue(parallel), request.IdempotencyKey, request.Attempts, request.AttemptTimeoutMs, request.Resources, request.Priority, request.Group, request.Home)
                {
                    Environment = request.Environment,
                    Directory = request.Directory,
                    Notify = request.Notify,
                    NotifyOn = request.NotifyOn,
                };
                return await new ArrayRun(session, client).ExecuteAsync(wanted, request.Detach, cancel).ConfigureAwait(false);
            }

            return parsed.GetValue(parallel) is null
                ? await new CommandRun(client, session.Terminal).ExecuteAsync(session.Limit(request), cancel).ConfigureAwait(false)
                : throw new MeshException(CliErrors.Usage, "--max-parallel is for --array", "for one job on each of several devices it is --parallel");
        });
    }

    public static Command Shell(GlobalOptions global)
    {
        var target = new Argument<string>("TARGET") { Description = "@name, @index, @id-prefix or @any:LABEL; this device when it is left out.", Arity = ArgumentArity.ZeroOrOne };
        return global.Verb("shell", "Open the login shell of the node's user on a device (docs/interactive.md). Enter ~ . ends it, Ctrl-P Ctrl-Q leaves it running.", [target], async (session, parsed, cancel) =>
        {
            using var client = session.Connect();
            var request = new CommandRequest(Target: parsed.GetValue(target)) { LoginShell = true };
            return await new InteractiveRun(client, session.Terminal).ExecuteAsync(session.Limit(request), Tty.IsTerminal, cancel).ConfigureAwait(false);
        });
    }

    /// <summary>"@peer command": the words as they are, so that nothing in the command is taken for an option of ours, unless it stands before the line.</summary>
    public static async Task<int> AtLine(Session session, IReadOnlyList<string> words, CommandRequest template, CancellationToken cancel)
    {
        using var client = session.Connect();
        if (PipeVerb.LineOf(words) is { } pipe)
        {
            return await new PipeRun(client, session.Terminal).ExecuteAsync(new PipeRequest(pipe, session.Timeout?.TotalMilliseconds), failsWithAny: false, cancel).ConfigureAwait(false);
        }

        WantedWork work = WantedWork.OfLine(words);
        CommandRequest request = template with { Target = work.Target, Arguments = work.Program, Line = work.Line };
        return await new CommandRun(client, session.Terminal).ExecuteAsync(session.Limit(request), cancel).ConfigureAwait(false);
    }
}

/// <summary>The options of a submission, the same for run and for lines.</summary>
internal sealed class SubmitOptions
{
    private readonly Option<string?> _key = new("--key") { Description = "Idempotency key: a repeat returns the first job." };
    private readonly Option<bool> _queue = new("--queue") { Description = "Accept the job though the device is offline." };
    private readonly Option<bool> _detach = new("--detach") { Description = "Print the job id and do not wait." };
    private readonly Option<int?> _attempts = new("--attempts") { Description = "Attempts before the job is paused." };
    private readonly Option<TimeSpan?> _attemptTimeout = new("--attempt-timeout") { Description = "Longest single attempt.", CustomParser = Durations.Parse };

    private readonly Option<int?> _parallel = new("--parallel") { Description = "Devices at work at the same time, where there are several (default 32)." };

    private readonly Option<string[]> _after = new("--after") { Description = "Begin when another job of this device is over: ok:JOB (it completed), fail:JOB (it did not), any:JOB; may be repeated." };

    private readonly Option<string[]> _artifacts = new("--artifact") { Description = "NAME=PATH: a file that the program leaves behind in its working directory; may be repeated (docs/artifacts.md)." };

    private readonly Option<string[]> _inputs = new("--input") { Description = "NAME=JOB/ARTIFACT or NAME=sha256:...: a file that the program finds in $AGENTMESH_INPUT_DIR; may be repeated." };

    private readonly NeedsOptions _needs = new();

    private readonly PlaceOptions _place = new();

    private readonly NotifyOptions _notify = new("the job (with --array of the array)");

    private readonly Option<string?> _home = NewHome();

    public Symbol[] All => [_key, _queue, _detach, .. _place.All, _attempts, _attemptTimeout, _parallel, _after, _artifacts, _inputs, _home, .. _notify.All, .. _needs.All];

    public static Option<string?> NewHome() =>
        new("--home") { Description = "The pool that keeps the job or array (docs/pools.md); 'device' for this device. Without it, the setting jobs.home." };

    public CommandRequest Apply(CommandRequest request, ParseResult parsed) => request with
    {
        IdempotencyKey = parsed.GetValue(_key),
        Queue = parsed.GetValue(_queue),
        Detach = parsed.GetValue(_detach),
        Attempts = parsed.GetValue(_attempts),
        AttemptTimeoutMs = parsed.GetValue(_attemptTimeout)?.TotalMilliseconds,
        Parallel = parsed.GetValue(_parallel),
        After = parsed.GetValue(_after),
        Artifacts = parsed.GetValue(_artifacts),
        Inputs = parsed.GetValue(_inputs),
        Resources = _needs.Resources(parsed),
        Priority = _needs.Priority(parsed),
        Group = _needs.Group(parsed),
        Home = parsed.GetValue(_home),
        Environment = _place.Variables(parsed),
        Directory = _place.Directory(parsed),
        Notify = _notify.Url(parsed),
        NotifyOn = _notify.On(parsed),
    };
}
