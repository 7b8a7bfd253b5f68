using System.CommandLine;
using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>map: a program for each row of a table.</summary>
internal static class MapVerb
{
    /// <summary>A character of the largest table has up to three bytes where it takes one place.</summary>
    private const int FileBytesMax = 3 * ArrayItems.CharactersMax;

    public static Command Create(GlobalOptions global)
    {
        var file = new Option<string>("--params") { Description = "A table: names in the first line, then a row for each element, with commas between (CSV); - reads standard input.", Required = true };
        var on = new Option<string?>("--on") { Description = "Where elements may run, for example @label:gpu or @a,b; this device when it is left out." };
        var program = new Argument<string[]>("PROGRAM") { Description = "After --: the program and its arguments; {name} is the value of a column. Or a line that begins with devices: @label:gpu calc {x}^2.", Arity = ArgumentArity.ZeroOrMore };
        var options = new ArrayOptions();
        return global.Verb(
            "map",
            "Run a program for each row of a table: map --params grid.csv --on @label:gpu -- python3 train.py --lr {lr} (docs/arrays.md).",
            [file, on, program, .. options.All],
            async (session, parsed, cancel) =>
            {
                Usage.CheckProgram(parsed, parsed.GetValue(program)?.FirstOrDefault());
                WantedWork work = WantedWork.Read(
                    "an array", parsed.GetValue(on), parsed.GetValue(program), options.Line(parsed), "agentmesh map --params FILE --on @label:gpu -- PROGRAM ARGUMENTS, --line 'calc {x}^2', or @label:gpu calc {x}^2");
                string name = parsed.GetValue(file)!;
                string csv = await ReadAsync(name, cancel).ConfigureAwait(false);
                using var client = session.Connect();
                ArrayRequest request = options.Apply(new ArrayRequest(Target: work.Target, Line: work.Line, Arguments: work.Program, Csv: csv, File: name == "-" ? "standard input" : name), parsed);
                return await new ArrayRun(session, client).ExecuteAsync(request, options.Detach(parsed), cancel).ConfigureAwait(false);
            });
    }

    private static Task<string> ReadAsync(string name, CancellationToken cancel) => TextFile.ReadAsync(
        name,
        FileBytesMax,
        MeshErrors.ParameterFile,
        "name a file of comma-separated values",
        (MeshErrors.ArrayTooLarge, "let the program read long values from files of its own, and put their names into the table"),
        cancel);
}

/// <summary>The options of map beside the table and where.</summary>
internal sealed class ArrayOptions
{
    private readonly Option<int?> _parallel = new("--max-parallel") { Description = "Elements at the same time (default: one on each device)." };
    private readonly Option<string?> _line = new("--line") { Description = "A command line instead of a program, for example 'calc {x}^2'." };
    private readonly Option<string?> _key = new("--key") { Description = "Idempotency key: a repeat returns the first array." };
    private readonly Option<bool> _detach = new("--detach") { Description = "Print the id of the array and do not wait." };
    private readonly Option<int?> _attempts = new("--attempts") { Description = "Attempts of each element." };
    private readonly Option<TimeSpan?> _attemptTimeout = new("--attempt-timeout") { Description = "Longest single attempt.", CustomParser = Durations.Parse };

    private readonly NeedsOptions _needs = new();
    private readonly PlaceOptions _place = new();
    private readonly NotifyOptions _notify = new("the array");
    private readonly Option<string?> _home = SubmitOptions.NewHome();

    public Symbol[] All => [_home, _parallel, _line, _key, _detach, _attempts, _attemptTimeout, .. _place.All, .. _notify.All, .. _needs.All];

    public bool Detach(ParseResult parsed) => parsed.GetValue(_detach);

    public string? Line(ParseResult parsed) => parsed.GetValue(_line);

    public ArrayRequest Apply(ArrayRequest request, ParseResult parsed) => request with
    {
        Parallel = parsed.GetValue(_parallel),
        IdempotencyKey = parsed.GetValue(_key),
        Attempts = parsed.GetValue(_attempts),
        AttemptTimeoutMs = parsed.GetValue(_attemptTimeout)?.TotalMilliseconds,
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
