using AgentMesh.Cli.Client;
using AgentMesh.Errors;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Repl;

/// <summary>What Tab offers: device names after '@', job ids after the job verbs, verbs and commands at the start.</summary>
internal sealed class Completion(ControlClient client)
{
    private static readonly string[] First = ["artifact", "attach", "audit", "calc", "cancel", "compromised", "connect", "cron", "devices", "doctor", "echo", "exit", "help", "invite", "jobs", "join", "logs", "map", "peers", "ping", "quit", "retry", "run", "script", "sec", "show", "status", "system", "watch", "workflow"];
    private static readonly string[] AfterPeer = ["calc", "echo", "help", "run", "status", "system", "watch"];
    private static readonly string[] JobVerbsOfPrompt = ["logs", "show", "cancel", "retry", "watch", "attach"];
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    public IReadOnlyList<string> Complete(string before)
    {
        string[] words = before.Split(' ');
        string word = words[^1];
        return [.. Candidates(words, word).Where(candidate => candidate.StartsWith(word, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
    }

    private IEnumerable<string> Candidates(string[] words, string word)
    {
        if (words.Length == 1)
        {
            return word.StartsWith('@') ? Selectors(word) : First;
        }

        if (words.Length == 2 && words[0].StartsWith('@'))
        {
            return AfterPeer;
        }

        if (words.Length == 2 && words[0] == "cron")
        {
            return PromptVerbs.CronVerbNames;
        }

        if (words.Length == 2 && words[0] == "workflow")
        {
            return PromptVerbs.WorkflowVerbNames;
        }

        return words.Length == 2 && JobVerbsOfPrompt.Contains(words[0], StringComparer.Ordinal) ? Jobs() : [];
    }

    /// <summary>Devices, labels and everybody; in a list with commas, for its last part.</summary>
    private IEnumerable<string> Selectors(string word) =>
        Selectors(word, Ask(cancel => client.GetAsync("v1/peers", ControlJson.Default.IReadOnlyListPeerView, cancel)) ?? []);

    internal static IEnumerable<string> Selectors(string word, IReadOnlyList<PeerView> peers)
    {
        int comma = word.LastIndexOf(',');
        string before = word[..(comma + 1)];
        string at = comma < 0 || word.AsSpan(comma + 1).StartsWith("@") ? "@" : "";
        string[] labels = [.. peers.SelectMany(peer => peer.Labels).Distinct(StringComparer.OrdinalIgnoreCase)];
        return [.. peers.Select(peer => peer.Name).Append("all").Concat(labels.SelectMany(label => (string[])[$"label:{label}", $"any({label})"])).Select(each => before + at + each)];
    }

    private IEnumerable<string> Jobs() =>
        Ask(cancel => client.GetAsync("v1/jobs?limit=50", ControlJson.Default.JobPage, cancel)) is { } page ? page.Jobs.Select(job => job.ShortId).Concat(page.Arrays.Select(array => array.ShortId)) : [];

    private static T? Ask<T>(Func<CancellationToken, Task<T>> ask)
        where T : class
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            return ask(patience.Token).GetAwaiter().GetResult();
        }
        catch (Exception error) when (error is MeshException or OperationCanceledException)
        {
            return null;
        }
    }
}
