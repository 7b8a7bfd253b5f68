using System.CommandLine;
using System.CommandLine.Parsing;
using AgentMesh.Errors;
using AgentMesh.Mesh.Selectors;

namespace AgentMesh.Cli.Verbs;

/// <summary>What happens to a command line that is none.</summary>
internal static class Usage
{
    /// <summary>Nothing at all, and 'help' as a verb, ask for help.</summary>
    public static string[] Normal(string[] args) => args switch
    {
        [] => ["--help"],
        ["help", .. string[] verb] => [.. verb, "--help"],
        _ => args,
    };

    public static int Refuse(ParseResult parsed, TextWriter error)
    {
        Command command = parsed.CommandResult.Command;
        if (command is RootCommand && parsed.UnmatchedTokens is [string word, ..] && !word.StartsWith('-'))
        {
            error.WriteLine($"agentmesh: {CliErrors.Usage}: there is no verb '{word}'");
            error.WriteLine($"  next: {Meant(command, [word])}agentmesh --help shows the verbs; for a command of a device name the device: agentmesh @NAME {string.Join(' ', parsed.UnmatchedTokens)}");
            return CommandRun.MeshFailure;
        }

        foreach (ParseError problem in parsed.Errors)
        {
            error.WriteLine($"agentmesh: {CliErrors.Usage}: {problem.Message}");
        }

        if (command is not RootCommand && FarVerbs.IsMisplaced(parsed))
        {
            error.WriteLine($"  next: {FarVerbs.Option} stands before the verb: agentmesh {FarVerbs.Option} DEVICE {Path(command)} ...");
            return CommandRun.MeshFailure;
        }

        bool isWhole = command is RootCommand || parsed.Errors.All(problem => problem.SymbolResult is OptionResult { Option.Recursive: true });
        error.WriteLine($"  next: {Meant(command, parsed.UnmatchedTokens)}agentmesh {(isWhole ? "" : Path(command) + " ")}--help");
        return CommandRun.MeshFailure;
    }

    /// <summary>An option that a verb does not have would be taken for the program.</summary>
    /// <param name="program">The first of the words.</param>
    /// <exception cref="MeshException">AM0222: it stands before "--" and begins with a dash.</exception>
    public static void CheckProgram(ParseResult parsed, string? program)
    {
        if (program is ['-', ..] && parsed.Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash).Any(token => token.Value == program))
        {
            Command command = parsed.CommandResult.Command;
            throw new MeshException(CliErrors.Usage, $"'{program}' is no option of {Path(command)}", $"{Meant(command, [program])}agentmesh {Path(command)} --help shows them; a program whose name begins so stands after --");
        }
    }

    // What is hidden is nobody's meaning.
    private static string Meant(Command command, IReadOnlyList<string> unknown)
    {
        string[] known = [.. command.Subcommands.Concat<Symbol>(command.Options).Concat(Above(command).SelectMany(above => above.Options.Where(option => option.Recursive))).Where(symbol => !symbol.Hidden).Select(symbol => symbol.Name)];
        return unknown.Select(word => Meant(word, known)).FirstOrDefault(meant => meant is not null) is { } found ? $"did you mean '{found}'? " : "";
    }

    // Who stops early meant the one that begins so: '--data' is nearer to '--state' than to '--data-dir'.
    private static string? Meant(string word, string[] known) =>
        word.Length >= 3 && known.Where(name => name.StartsWith(word, StringComparison.Ordinal)).ToArray() is [var only] ? only : Nearest.Of(word, known);

    private static IEnumerable<Command> Above(Command command) => command.Parents.OfType<Command>().SelectMany(above => Above(above).Prepend(above));

    /// <summary>With the verbs above it: 'job show'.</summary>
    public static string Path(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } above and not RootCommand ? $"{Path(above)} {command.Name}" : command.Name;
}
