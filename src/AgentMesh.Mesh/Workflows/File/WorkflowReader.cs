using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using AgentMesh.Errors;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Artifacts;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Selectors;
using AgentMesh.Mesh.Turns;
using AgentMesh.Mesh.Webhooks;

namespace AgentMesh.Mesh.Workflows.File;

/// <summary>Reads a workflow from its file: everything in it is known, or the file is refused with the place of what is wrong.</summary>
public sealed class WorkflowReader
{
    private const int ParallelDefault = 16;
    private const int AttemptsMax = 100;

    private static readonly string[] RootKeys = ["name", "vars", "max-parallel", "notify", "notify-on", "steps"];

    private static readonly string[] NotifyWords = ["any", "failure", "success"];

    private static readonly string[] StepKeys =
    [
        "name", "on", "run", "command", "needs", "env", "dir", "artifacts", "inputs", "resources", "priority", "group", "allow-failure", "attempts", "backoff", "backoff-max", "retry-exit-codes", "final-exit-codes",
        "attempt-timeout", "queue-timeout", "total-timeout", "heartbeat-timeout",
    ];

    private readonly string _file;
    private readonly WorkflowDefaults _defaults;
    private readonly Dictionary<string, string> _variables = new(StringComparer.Ordinal);

    private WorkflowReader(string file, WorkflowDefaults defaults)
    {
        _file = file;
        _defaults = defaults;
    }

    /// <param name="file">What messages call it.</param>
    /// <param name="set">Variables that the caller gives: they replace those of the file, which must name them.</param>
    /// <exception cref="MeshException">AM0370 to AM0377, AM0380, and what a selector or a command may be refused with; all with file, line and column.</exception>
    public static WorkflowSpec Read(string text, string file, IReadOnlyDictionary<string, string> set, WorkflowDefaults defaults) =>
        new WorkflowReader(file, defaults).Read(YamlTree.Read(text, file), set);

    /// <summary>Whether there are the values that an edited step asks for.</summary>
    /// <exception cref="MeshException">AM0375.</exception>
    public static void CheckEdited(WorkflowState workflow, StepSpec edited) =>
        new StepChecks("", [.. workflow.Spec!.Variables.Select(pair => pair.Key)], [.. workflow.Steps.Select(step => (step.Spec.Name == edited.Name ? edited : step.Spec, (YamlMap?)null))]).CheckReferences(edited, null);

    private WorkflowSpec Read(YamlNode root, IReadOnlyDictionary<string, string> set)
    {
        YamlMap map = Map(root, "the file", RootKeys);
        string name = Find(map, "name") is { } named ? Text(named, "name", 1, 100) : Path.GetFileNameWithoutExtension(_file);
        ReadVariables(Find(map, "vars"), set, map.At);
        int parallel = Find(map, "max-parallel") is { } bound ? Number(bound, "max-parallel", 1, WorkflowSpec.StepsMax) : ParallelDefault;
        YamlNode list = Find(map, "steps") ?? throw Wrong(map.At, "there are no steps", "write steps: and a list of steps, each with a name");
        if (list is not YamlList { Items.Count: > 0 } steps)
        {
            throw Wrong(list.At, $"steps is {list.Kind}, not a list of steps", "write a line '- name: NAME' for each step, with what belongs to it below");
        }

        if (steps.Items.Count > WorkflowSpec.StepsMax)
        {
            throw Wrong(steps.Items[WorkflowSpec.StepsMax].At, $"{steps.Items.Count} steps; {WorkflowSpec.StepsMax} are the most", "use an array for what repeats: docs/arrays.md", MeshErrors.WorkflowTooLarge);
        }

        var read = new List<(StepSpec Spec, YamlMap? Map)>();
        foreach (YamlNode item in steps.Items)
        {
            YamlMap step = Map(item, "a step", StepKeys);
            StepSpec spec = ReadStep(step);
            if (read.Any(other => other.Spec.Name == spec.Name))
            {
                throw Wrong(Find(step, "name")!.At, $"the step '{spec.Name}' is there twice", "give each step a name of its own");
            }

            read.Add((spec, step));
        }

        new StepChecks(_file, [.. _variables.Keys], read).Check();
        return new WorkflowSpec(
            name, [.. _variables.OrderBy(pair => pair.Key, StringComparer.Ordinal)], _defaults.Caller, parallel, [.. read.Select(each => each.Spec)], IdempotencyKey: null, ForkOf: default)
        {
            Notify = ReadNotify(Find(map, "notify"), Find(map, "notify-on")),
        };
    }

    private Notify? ReadNotify(YamlNode? url, YamlNode? on)
    {
        string? ends = on is null ? null : Text(on, "notify-on", 1, 100);
        if (on is not null && (url is null || !NotifyWords.Contains(ends)))
        {
            throw url is null
                ? Wrong(on.At, "notify-on says of which ends somebody is told, and notify is missing", "add notify: https://example.org/hook")
                : Wrong(on.At, $"'{ends}' is nothing that notify-on can be", $"{Known(NotifyWords)}");
        }

        string? told = url is null ? null : Text(url, "notify", 1, NotifyUrl.CharsMax);
        return told is null ? null : At(url!.At, () => _defaults.NotifyOf(told, ends));
    }

    private void ReadVariables(YamlNode? node, IReadOnlyDictionary<string, string> set, Place at)
    {
        foreach ((YamlText key, YamlNode value) in node is null ? [] : Map(node, "vars", null).Entries)
        {
            if (!ParameterTable.IsName(key.Value))
            {
                throw Wrong(key.At, $"'{key.Value}' is no name of a variable", "a name has 1 to 63 letters, digits, '-' or '_', and begins with a letter or '_'");
            }

            _variables[key.Value] = Text(value, key.Value, 0, WorkflowSpec.ValueBytesMax);
        }

        foreach ((string name, string value) in set)
        {
            if (!_variables.ContainsKey(name))
            {
                string near = Nearest.Of(name, _variables.Keys) is { } meant ? $"did you mean '{meant}'? " : "";
                throw Wrong(node?.At ?? at, $"--set names '{name}', which is no variable of the workflow", $"{near}{Known(_variables.Keys)}; add it under vars:", MeshErrors.UnknownVariable);
            }

            _variables[name] = Encoding.UTF8.GetByteCount(value) <= WorkflowSpec.ValueBytesMax && !value.Contains('\0', StringComparison.Ordinal)
                ? value
                : throw Wrong(at, $"the value of '{name}' has more than {WorkflowSpec.ValueBytesMax} bytes, or a zero character", "put it into a file that the program reads", MeshErrors.WorkflowTooLarge);
        }

        if (_variables.Count > WorkflowSpec.VariablesMax)
        {
            throw Wrong(node!.At, $"{_variables.Count} variables; {WorkflowSpec.VariablesMax} are the most", "put some of them into a file that the programs read", MeshErrors.WorkflowTooLarge);
        }
    }

    private StepSpec ReadStep(YamlMap map)
    {
        YamlNode named = Find(map, "name") ?? throw Wrong(map.At, "the step has no name", "write name: NAME; other steps and people call it so");
        string name = Text(named, "name", 1, 63);
        if (!ParameterTable.IsName(name))
        {
            throw Wrong(named.At, $"'{name}' is no name of a step", "a name has 1 to 63 letters, digits, '-' or '_', and begins with a letter or '_'");
        }

        (JobCommand command, bool isShell) = ReadCommand(map);
        (ValueList<StepInput> fromSteps, ValueList<ArtifactInput> known) = ReadInputs(Find(map, "inputs"), command.IsProgram);
        ValueList<JobArtifact> artifacts = ReadArtifacts(Find(map, "artifacts"), command.IsProgram);
        command = ReadPlace(map, command, hasFiles: !(artifacts.IsEmpty && known.IsEmpty && fromSteps.IsEmpty));
        JobSpec job = _defaults.JobOf(command) with { Artifacts = artifacts, Inputs = known, Needs = ReadPlacement(map) };
        return new StepSpec(
            name,
            job with { Retry = ReadRetry(map, job.Retry), Timeouts = ReadTimeouts(map, job.Timeouts) },
            ReadTargets(Find(map, "on")),
            ReadNeeds(Find(map, "needs")),
            isShell,
            Find(map, "allow-failure") is { } allow && Truth(allow, "allow-failure"))
        {
            Inputs = fromSteps,
        };
    }

    private JobNeeds ReadPlacement(YamlMap map)
    {
        YamlNode? resources = Find(map, "resources"), priority = Find(map, "priority"), group = Find(map, "group");
        int? number = priority switch
        {
            null => null,
            YamlText { IsPlain: true } text when int.TryParse(text.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int read) => read,
            _ => throw Wrong(priority.At, $"the value of 'priority' is {priority.Kind}, not a whole number", $"write a number from -{JobNeeds.PriorityMax} to {JobNeeds.PriorityMax}"),
        };
        string[]? amounts = resources is null ? null : [.. Map(resources, "resources", null).Entries.Select(entry => $"{entry.Key.Value}={Text(entry.Value, entry.Key.Value, 1, 32)}")];
        return At((resources ?? priority ?? group ?? map).At, () => JobNeeds.Parse(amounts, number, group is null ? null : Text(group, "group", 1, 100)));
    }

    private ValueList<JobArtifact> ReadArtifacts(YamlNode? node, bool isProgram) => node is null
        ? []
        : [.. Files(node, "artifacts", isProgram).Select(entry => At(entry.Key.At, () => ArtifactNames.Check(new JobArtifact(entry.Key.Value, Text(entry.Value, "artifacts", 1, 512)))))];

    private (ValueList<StepInput> FromSteps, ValueList<ArtifactInput> Known) ReadInputs(YamlNode? node, bool isProgram)
    {
        var fromSteps = new List<StepInput>();
        var known = new List<ArtifactInput>();
        foreach ((YamlText key, YamlNode value) in node is null ? [] : Files(node, "inputs", isProgram))
        {
            string source = Text(value, "inputs", 1, 200);
            int slash = source.IndexOf('/', StringComparison.Ordinal);
            if (source.StartsWith(ContentHash.Prefix, StringComparison.Ordinal))
            {
                known.Add(At(value.At, () => _defaults.InputOf(key.Value, source)));
            }
            else if (slash > 0 && ArtifactNames.IsName(source[(slash + 1)..]))
            {
                fromSteps.Add(new StepInput(key.Value, source[..slash], source[(slash + 1)..]));
            }
            else
            {
                throw Wrong(value.At, $"'{source}' names no artifact", "write STEP/ARTIFACT, or sha256: and 64 digits of one that is in the store of this device", ArtifactErrors.BadArtifact);
            }
        }

        return ([.. fromSteps], [.. known]);
    }

    private IReadOnlyList<(YamlText Key, YamlNode Value)> Files(YamlNode node, string key, bool isProgram)
    {
        YamlMap map = Map(node, key, null);
        if (!isProgram)
        {
            throw Wrong(node.At, $"{key} are for programs only", "leave them out, or use run:");
        }

        At(node.At, () =>
        {
            ArtifactNames.CheckAll(map.Entries.Select(entry => entry.Key.Value));
            return 0;
        });
        return map.Entries;
    }

    private (JobCommand Command, bool IsShell) ReadCommand(YamlMap map)
    {
        YamlNode? run = Find(map, "run"), command = Find(map, "command");
        if (run is null == command is null)
        {
            throw Wrong(map.At, run is null ? "the step has neither 'run' nor 'command'" : "the step has both 'run' and 'command'", "write run: [PROGRAM, ARGUMENT] or run: a line for the shell, or command: a line for a handler");
        }

        if (command is not null)
        {
            string line = Text(command, "command", 1, JobCommand.BytesMax / 2);
            return line.StartsWith('@')
                ? throw Wrong(command.At, "a command names no device", "write the device under on:")
                : (At(command.At, () => _defaults.HandlerOf(line)), false);
        }

        if (run is YamlList words)
        {
            string[] read = [.. words.Items.Select(word => Text(word, "run", 0, JobCommand.BytesMax / 2))];
            return read.Length > 0 && read[0].Length > 0 && read.Sum(word => (long)word.Length) <= JobCommand.BytesMax / 2
                ? (JobCommand.Program(read), false)
                : throw Wrong(words.At, read.Length == 0 || read[0].Length == 0 ? "run names no program" : "the program and its arguments are too long", "write run: [PROGRAM, ARGUMENT]; put long texts into files");
        }

        return (JobCommand.Program("/bin/sh", "-c", Text(run!, "run", 1, JobCommand.BytesMax / 2)), true);
    }

    /// <summary>The command with its variables and its directory.</summary>
    private JobCommand ReadPlace(YamlMap map, JobCommand command, bool hasFiles)
    {
        JobCommand equipped = command;
        if (Find(map, "env") is { } env)
        {
            Dictionary<string, string?> variables = ReadVariables(env, command.IsProgram);
            equipped = At(env.At, () => ProgramPlace.Apply(command, variables, null));
        }

        if (Find(map, "dir") is not { } dir)
        {
            return equipped;
        }

        string directory = Text(dir, "dir", 1, ProgramPlace.BytesMax);
        return At(dir.At, () => ProgramPlace.Apply(equipped, null, directory, hasFiles));
    }

    private Dictionary<string, string?> ReadVariables(YamlNode node, bool isProgram)
    {
        if (!isProgram)
        {
            throw Wrong(node.At, "env is for programs only; a handler has no environment", "leave env out, or use run:");
        }

        YamlMap map = Map(node, "env", null);
        foreach ((YamlText key, _) in map.Entries)
        {
            if (!ProgramPlace.IsSettable(key.Value))
            {
                throw Wrong(key.At, $"'{key.Value}' is no name of a variable of an environment", $"it has letters, digits and '_', does not begin with a digit, and not with {ProgramPlace.OwnVariables}");
            }
        }

        return map.Entries.ToDictionary(entry => entry.Key.Value, string? (entry) => Text(entry.Value, entry.Key.Value, 0, ProgramPlace.BytesMax), StringComparer.Ordinal);
    }

    private RetryPolicy ReadRetry(YamlMap map, RetryPolicy policy)
    {
        policy = policy with
        {
            Attempts = Find(map, "attempts") is { } attempts ? Number(attempts, "attempts", 1, AttemptsMax) : policy.Attempts,
            BackoffMin = Duration(map, "backoff") ?? policy.BackoffMin,
            BackoffMax = Duration(map, "backoff-max") ?? policy.BackoffMax,
            RetryExitCodes = Find(map, "retry-exit-codes") is { } retried ? Truth(retried, "retry-exit-codes") : policy.RetryExitCodes,
            FinalExitCodes = Find(map, "final-exit-codes") is { } final ? [.. Items(final, "final-exit-codes").Select(code => Number(code, "final-exit-codes", 0, 255))] : policy.FinalExitCodes,
        };
        return policy.BackoffMax >= policy.BackoffMin ? policy : policy with { BackoffMax = policy.BackoffMin };
    }

    private JobTimeouts ReadTimeouts(YamlMap map, JobTimeouts timeouts) => new(
        Duration(map, "queue-timeout") ?? timeouts.Queue,
        Duration(map, "attempt-timeout") ?? timeouts.Attempt,
        Duration(map, "total-timeout") ?? timeouts.Total,
        Duration(map, "heartbeat-timeout") ?? timeouts.Heartbeat);

    private StepTargets ReadTargets(YamlNode? node)
    {
        if (node is null)
        {
            return _defaults.TargetsOf(null);
        }

        string selector = node is YamlList list ? string.Join(',', list.Items.Select(item => Text(item, "on", 1, 1024))) : Text(node, "on", 1, 64 * 1024);
        selector = StepText.Fill(selector, reference => reference.Names is [StepText.Variables, var name] && _variables.TryGetValue(name, out string? value)
            ? value
            : throw Wrong(node.At, $"there is no variable {{{{{string.Join('.', reference.Names)}}}}} for a selector", $"only {{{{vars.NAME}}}} can stand there; {Known(_variables.Keys)}", MeshErrors.UnknownVariable));
        return At(node.At, () => _defaults.TargetsOf(selector));
    }

    private ValueList<StepNeed> ReadNeeds(YamlNode? node) => node is null ? [] : [.. Items(node, "needs").Select(ReadNeed)];

    private StepNeed ReadNeed(YamlNode node)
    {
        string text = Text(node, "needs", 1, 100);
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        return (colon < 0 ? "ok" : text[..colon]) switch
        {
            "ok" => new StepNeed(DependencyCondition.Ok, text[(colon + 1)..]),
            "fail" => new StepNeed(DependencyCondition.Fail, text[(colon + 1)..]),
            "any" => new StepNeed(DependencyCondition.Any, text[(colon + 1)..]),
            var word => throw Wrong(node.At, $"'{word}:' is no condition", "write STEP or ok:STEP (it completed), fail:STEP (it failed), any:STEP (it is over)", MeshErrors.BadNeed),
        };
    }

    private YamlMap Map(YamlNode node, string what, string[]? known)
    {
        if (node is not YamlMap map)
        {
            throw Wrong(node.At, $"{what} is {node.Kind}, not keys with values", "write KEY: VALUE; docs/workflows.md shows a whole file");
        }

        foreach ((YamlText key, _) in known is null ? [] : map.Entries)
        {
            if (!known!.Contains(key.Value))
            {
                string near = Nearest.Of(key.Value, known!) is { } meant ? $"did you mean '{meant}'? " : "";
                throw Wrong(key.At, $"'{key.Value}' is no key of {what}", $"{near}{Known(known!)}", MeshErrors.WorkflowKey);
            }
        }

        return map;
    }

    private static YamlNode? Find(YamlMap map, string key) => map.Entries.FirstOrDefault(entry => entry.Key.Value == key).Value;

    private static IReadOnlyList<YamlNode> Items(YamlNode node, string key) => node is YamlList list ? list.Items : [node];

    private string Text(YamlNode node, string key, int bytesMin, int bytesMax)
    {
        if (node is not YamlText text || (text.IsNull && bytesMin > 0))
        {
            throw Wrong(node.At, $"the value of '{key}' is {node.Kind}, not a text", "write a text after the colon; with special characters in quotes");
        }

        int bytes = Encoding.UTF8.GetByteCount(text.Value);
        return bytes < bytesMin || bytes > bytesMax
            ? throw Wrong(node.At, $"the value of '{key}' has {bytes} bytes, not {bytesMin} to {bytesMax}", "write a shorter text, or put it into a file that the program reads", bytes > bytesMax ? MeshErrors.WorkflowTooLarge : MeshErrors.WorkflowSyntax)
            : text.Value;
    }

    private int Number(YamlNode node, string key, int least, int most) =>
        node is YamlText { IsPlain: true } text && int.TryParse(text.Value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most
            ? number
            : throw Wrong(node.At, $"the value of '{key}' is {node.Kind}, not a whole number from {least} to {most}", $"write a number from {least} to {most}");

    private bool Truth(YamlNode node, string key) => node is YamlText { IsPlain: true, Value: "true" or "false" } text
        ? text.Value == "true"
        : throw Wrong(node.At, $"the value of '{key}' is {node.Kind}, not true or false", "write true or false");

    private TimeSpan? Duration(YamlMap map, string key) => Find(map, key) switch
    {
        null => null,
        YamlText text when DurationText.TryRead(text.Value) is { } span => span,
        var node => throw Wrong(node.At, $"the value of '{key}' is {node.Kind}, not a duration", DurationText.Forms, MeshErrors.BadDuration),
    };

    private T At<T>(Place at, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (MeshException wrong)
        {
            throw Wrong(at, wrong.Message, wrong.NextStep ?? "", wrong.Code);
        }
    }

    private static string Known(IEnumerable<string> names) => names.Any() ? $"known are: {string.Join(", ", names.Take(50))}" : "none is known";

    private MeshException Wrong(Place at, string what, string next, string code = MeshErrors.WorkflowSyntax) => YamlTree.Wrong(_file, at, what, next, code);
}
