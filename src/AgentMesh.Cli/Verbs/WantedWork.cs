using AgentMesh.Errors;

namespace AgentMesh.Cli.Verbs;

/// <summary>What is to be run, by the words behind a verb: a program with its arguments or a line, and where.</summary>
/// <param name="Target">A selector; null where the line names it, or nobody does.</param>
/// <param name="Program">Empty where there is a line.</param>
internal sealed record WantedWork(string? Target, string[] Program, string? Line)
{
    /// <summary>A line that begins with devices, as at the prompt.</summary>
    /// <param name="words">As the shell has split them. The arguments after "run" keep their borders.</param>
    /// <exception cref="MeshException">AM0222: an option stands behind "run".</exception>
    public static WantedWork OfLine(IReadOnlyList<string> words)
    {
        if (words is [_, "run", ['-', ..] option, ..] && option != "--")
        {
            throw new MeshException(CliErrors.Usage, $"'{option}' is no program", $"options stand before the devices: agentmesh run {option} ... {words[0]} -- PROGRAM");
        }

        int program = words.Count > 1 && words[1] == "run" ? (words.Count > 2 && words[2] == "--" ? 3 : 2) : -1;
        return program > 0 && words.Count > program ? new WantedWork(words[0], [.. words.Skip(program)], null) : new WantedWork(null, [], string.Join(' ', words));
    }

    /// <summary>Of a verb that takes a program, --line or a line that begins with devices.</summary>
    /// <param name="what">Its work, such as "a schedule".</param>
    /// <param name="example">How it is written.</param>
    /// <exception cref="MeshException">AM0222: there is nothing to run, or more than one thing, or devices are named twice.</exception>
    public static WantedWork Read(string what, string? on, string[]? words, string? line, string example)
    {
        MeshException Wrong(string problem) => new(CliErrors.Usage, $"{what} {problem}", $"write: {example}");

        string[] given = words ?? [];
        if (given.Length > 0 == line is not null)
        {
            throw Wrong("needs either a program or a line");
        }

        string first = line ?? given[0];
        bool namesDevices = first is ['@', _, ..];
        if (namesDevices && on is not null)
        {
            throw Wrong($"names its devices twice, '--on {on}' and '{first.Split(' ')[0]}'");
        }

        return namesDevices && line is null ? OfLine(given) : new WantedWork(on, given, line);
    }
}
