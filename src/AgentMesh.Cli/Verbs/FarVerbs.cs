using System.Collections.Frozen;
using System.CommandLine;
using System.CommandLine.Parsing;
using AgentMesh.Errors;

namespace AgentMesh.Cli.Verbs;

/// <summary>Which verbs can be said to another device with <c>--on</c>. A verb that is in neither list is refused: it may look at this machine, and nobody would be told.</summary>
internal static class FarVerbs
{
    public const string Option = "--on";

    /// <summary>They ask the control API and nothing else; those below them too, unless <see cref="Reasons"/> has them.</summary>
    private static readonly FrozenSet<string> Asking = new[]
    {
        "config", "status", "peers", "grant", "rename", "forget", "connect", "invite", "invitations", "join", "devices", "ping", "run", "shell", "pipe", "map", "job", "logs", "attach", "watch", "workflow", "group",
        "artifact", "cron", "audit", "repl", "script",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Why the others cannot, after the name of the verb.</summary>
    private static readonly FrozenDictionary<string, string> Reasons = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["up"] = "starts the node of this machine",
        ["down"] = "stops a node that nobody could start again from here",
        ["doctor"] = "looks at the machine that it runs on",
        ["trace"] = "would record itself over and over",
        ["compromised"] = "destroys the key by which a device is reached",
        ["devices rotate-key"] = "changes the key by which a device is reached",
        ["sec"] = "reads and writes files of this machine",
        ["beacon"] = "runs a beacon on this machine",
        ["demo"] = "runs nodes on this machine",
        ["version"] = "tells the version of this command line; 'status' tells that of a node",
        ["test"] = "runs the tests of this source tree",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>What stands behind a program or a selector there is the program's.</summary>
    private static readonly FrozenSet<string> TakingWords = new[] { "run", "pipe", "shell" }.ToFrozenSet(StringComparer.Ordinal);

    /// <exception cref="MeshException">AM0190: the verb is for this machine. AM0222: <c>--on</c> stands where it means nothing.</exception>
    public static void Check(Session session, ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        string verb = Usage.Path(command);
        if (session.On is { } device)
        {
            if (ReasonAgainst(verb) is { } reason)
            {
                throw new MeshException(CliErrors.NotFromAfar, $"'{verb}' {reason}, and is not said to another device", $"on {device.TrimStart('@')} itself: agentmesh {verb}");
            }
        }
        else if (IsMisplaced(parsed))
        {
            throw new MeshException(CliErrors.Usage, $"{Option} stands before the verb; after '{verb}' it means nothing", $"agentmesh {Option} DEVICE {verb} ...");
        }
    }

    /// <param name="verb">With those above it: "job show".</param>
    /// <returns>Null where it can be said to another device.</returns>
    public static string? ReasonAgainst(string verb)
    {
        string first = verb.Split(' ')[0];
        return Reasons.TryGetValue(verb, out string? reason) || Reasons.TryGetValue(first, out reason) ? reason : Asking.Contains(first) ? null : "is for the machine that it is typed on";
    }

    /// <summary>Whether <c>--on</c> stands behind a verb that has no such option. Taken for a word of the verb, it would act on this device and say nothing.</summary>
    public static bool IsMisplaced(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        return !TakingWords.Contains(Usage.Path(command)) && command.Options.All(option => option.Name != Option)
            && parsed.Tokens.SkipWhile(token => token.Type != TokenType.Command).TakeWhile(token => token.Type != TokenType.DoubleDash).Any(token => token.Value == Option);
    }
}
