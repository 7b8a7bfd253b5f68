using System.CommandLine;
using System.CommandLine.Parsing;

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
            error.WriteLine($"  next: agentmesh --help shows the verbs; for a command of a device name the device: agentmesh @NAME {string.Join(' ', parsed.UnmatchedTokens)}");
            return CommandRun.MeshFailure;
        }

        foreach (ParseError problem in parsed.Errors)
        {
            error.WriteLine($"agentmesh: {CliErrors.Usage}: {problem.Message}");
        }

        bool isWhole = command is RootCommand || parsed.Errors.All(problem => problem.SymbolResult is OptionResult { Option.Recursive: true });
        error.WriteLine($"  next: agentmesh {(isWhole ? "" : Path(command) + " ")}--help");
        return CommandRun.MeshFailure;
    }

    /// <summary>With the verbs above it: 'job show'.</summary>
    private static string Path(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } above and not RootCommand ? $"{Path(above)} {command.Name}" : command.Name;
}
