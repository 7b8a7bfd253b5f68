using System.CommandLine;
using AgentMesh.Mesh.Grants;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Repl;

/// <summary>What Tab offers: verbs at the start, their options after a dash, and what the place asks for: devices, jobs, workflows, schedules, groups, grants, files.</summary>
/// <param name="files">Those whose path begins as the word does.</param>
internal sealed class Completion(IKnownNames names, Func<string, IReadOnlyList<string>> files)
{
    private static readonly string[] OwnVerbs = ["calc", "cancel", "connect", "echo", "exit", "help", "invite", "jobs", "join", "logs", "peers", "quit", "retry", "show", "status", "system", "why"];
    private static readonly string[] AfterPeer = ["calc", "echo", "help", "run", "status", "system", "watch"];
    private static readonly string[] JobVerbsOfPrompt = ["logs", "show", "why", "cancel", "retry"];

    public IReadOnlyList<string> Complete(string before)
    {
        string[] words = before.Split(' ');
        string word = words[^1];
        return [.. Candidates(words, word).Where(candidate => candidate.StartsWith(word, StringComparison.Ordinal)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }

    private IEnumerable<string> Candidates(string[] words, string word) => words switch
    {
        [['@', ..]] => Selectors(word, names.Peers),
        [_] => OwnVerbs.Concat(PromptVerbs.All.Select(verb => verb.Name)),
        [['@', ..], _] => AfterPeer,
        [var verb, _] when JobVerbsOfPrompt.Contains(verb) => names.Jobs,
        [var verb, ..] when PromptVerbs.Find(verb) is { } command => Candidates(command, words[1..^1], word),
        _ => [],
    };

    /// <param name="given">Between the verb and the word.</param>
    private IEnumerable<string> Candidates(Command command, string[] given, string word)
    {
        Option? open = null;
        int arguments = 0;
        foreach (string each in given)
        {
            if (each == "--")
            {
                // What follows is for another device.
                return [];
            }

            if (open is not null)
            {
                open = null;
            }
            else if (each.StartsWith('-'))
            {
                open = command.Options.FirstOrDefault(option => (option.Name == each || option.Aliases.Contains(each)) && option.ValueType != typeof(bool));
            }
            else if (arguments == 0 && command.Subcommands.FirstOrDefault(verb => verb.Name == each) is { } verb)
            {
                command = verb;
            }
            else
            {
                arguments++;
            }
        }

        if (open is not null)
        {
            return Values(open.Name, command, word);
        }

        if (word.StartsWith('-'))
        {
            return command.Options.Where(option => !option.Hidden).Select(option => option.Name);
        }

        return arguments == 0 && command.Subcommands.Count > 0 ? command.Subcommands.Select(verb => verb.Name)
            : command.Arguments.Count == 0 ? []
            : Values(command.Arguments[Math.Min(arguments, command.Arguments.Count - 1)].Name, command, word);
    }

    /// <param name="place">The name of an argument or an option, as the help of the verb has it.</param>
    private IEnumerable<string> Values(string place, Command command, string word) => place switch
    {
        "PEER" => names.Peers.Select(peer => peer.Name),
        "TARGET" or "--on" => Selectors(word, names.Peers),
        "JOB" => names.Jobs,
        "WORKFLOW" => names.Workflows,
        "GRANT" or "--grant" => Grant.All.Concat([Grant.RunKind, Grant.DirectoryKind, Grant.ReadKind, Grant.CommandKind]),
        "NAME" when IsBelow(command, "cron") => names.Schedules,
        "NAME" when IsBelow(command, "group") => names.Groups,
        "--group" => names.Groups,
        "FILE" or "--params" or "--out" or "--output" or "--passphrase-file" => files(word),
        _ => [],
    };

    private static bool IsBelow(Command command, string verb) => command.Parents.OfType<Command>().Any(parent => parent.Name == verb);

    /// <summary>Devices, labels and everybody; in a list with commas, for its last part.</summary>
    internal static IEnumerable<string> Selectors(string word, IReadOnlyList<PeerView> peers)
    {
        int comma = word.LastIndexOf(',');
        string before = word[..(comma + 1)];
        string at = comma < 0 || word.AsSpan(comma + 1).StartsWith("@") ? "@" : "";
        string[] labels = [.. peers.SelectMany(peer => peer.Labels).Distinct(StringComparer.OrdinalIgnoreCase)];
        return [.. peers.Select(peer => peer.Name).Append("all").Concat(labels.SelectMany(label => (string[])[$"label:{label}", $"any({label})"])).Select(each => before + at + each)];
    }
}
