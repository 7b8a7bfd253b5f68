using System.Globalization;
using AgentMesh.Cli.Client;
using AgentMesh.Cli.Scripts;
using AgentMesh.Cli.Verbs;
using AgentMesh.Errors;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Repl;

/// <summary>What one line of the REPL means: its own verbs first, everything else is a command for a device.</summary>
/// <param name="variables">Of the script; a prompt begins without any.</param>
internal sealed class ReplLines(Session session, ControlClient client, Variables? variables = null)
{
    /// <summary>The verbs of the prompt itself, for help and completion.</summary>
    public static readonly IReadOnlyList<(string Verb, string Help)> Verbs =
    [
        ("@PEER COMMAND", "run a command on devices: @gpu-box calc 1+2, @a,b status, @all status, @label:gpu status, @any(gpu) calc 1"),
        ("COMMAND", "run it on this device: calc 2^64, echo hello, status, help"),
        ("connect HOST PORT", "try an address at which an admitted device may be found"),
        ("peers [--paths]", "list the devices, or every path to them"),
        ("compromised", "give the key of this device up: everybody puts it out, and it stops"),
        ("sec create | inspect | join", "pair by a file that a passphrase opens"),
        ("devices list | show | history | rename | revoke | rotate-key | forget", "whom this device trusts, and since when; take it back"),
        ("jobs [STATE]", "list jobs, the newest first"),
        ("watch [JOB...]", "show how jobs go, as they go; Ctrl+C ends it"),
        ("logs JOB [OFFSET]", "print the output of a job and follow it"),
        ("attach JOB", "come to a job that runs; Ctrl-P Ctrl-Q, or Ctrl+C, leaves it"),
        ("show JOB | why JOB", "look at a job; why it waits"),
        ("cancel JOB | retry JOB", "stop a job, try it again"),
        ("invite [GRANT...]", "print a single-use code and link for another device"),
        ("join CODE | join LINK", "join the mesh of the device that gave the code or the link"),
        ("run @PEER -- PROGRAM | shell @PEER", "start a program, a login shell"),
        ("job | map | workflow | artifact | cron | group | audit | ping | doctor | grant | rename | forget | config | invitations", "as on the command line; --help explains them"),
        ("@a LINE | @b PROGRAM", "what each writes is what the next one reads (docs/pipes.md)"),
        ("NAME = LINE | NAME := TEXT", "keep what a line writes, or a text; $NAME in a later line is that (docs/scripts.md)"),
        ("script FILE", "run a file of such lines"),
        ("help", "this list"),
        ("Ctrl+R, Ctrl+S, up, down", "look for earlier lines with a text in them, back and forth; those that begin as what is typed"),
        ("Ctrl+T", "the jobs that are under way, until a key is pressed"),
        ("exit, quit", "leave; the node goes on"),
    ];

    private const int HelpColumn = 34;

    public bool HasEnded { get; private set; }

    public Variables Variables { get; } = variables ?? new Variables();

    /// <summary>Results are for a program: they stand alone.</summary>
    public bool IsScript { get; init; }

    /// <returns>The exit code of the line; 0 for an empty one or a comment.</returns>
    public Task<int> ExecuteAsync(string line, CancellationToken cancel)
    {
        string text = line.Trim();
        return text.Length == 0 || text.StartsWith('#') ? Task.FromResult(0) : ExecuteAsync(ScriptLine.Read(0, text), cancel);
    }

    /// <returns>The exit code of the line.</returns>
    public async Task<int> ExecuteAsync(ScriptLine line, CancellationToken cancel)
    {
        int code = await GlobalOptions.GuardAsync(session, _ => line.Kind switch
        {
            ScriptLineKind.Text => Task.FromResult(Keep(line.Name!, Variables.Expand(line.Text))),
            ScriptLineKind.Keep when line.Text.Length > 0 => KeepAsync(line, cancel),
            ScriptLineKind.StopAtFailure or ScriptLineKind.GoOnAfterFailure => throw new MeshException(
                CliErrors.Usage, $"'{line.Text}' is for script files", "piped lines all run; 'agentmesh script FILE' ends at the first failure"),
            _ => Dispatch(Variables.Expand(line.Text), cancel),
        }, cancel).ConfigureAwait(false);
        Variables.LastCode = code;
        return code;
    }

    /// <summary>A line whose output is kept runs as the others do, with another place to write to.</summary>
    private async Task<int> KeepAsync(ScriptLine line, CancellationToken cancel)
    {
        using var kept = new KeptText();
        var inner = new ReplLines(session with { Terminal = session.Terminal.Into(kept, kept.Raw) }, client, Variables) { IsScript = true };
        int code = await inner.Dispatch(Variables.Expand(line.Text), cancel).ConfigureAwait(false);
        return code != 0 ? code : Keep(line.Name!, kept.Value);
    }

    private int Keep(string name, string value) => Variables.TrySet(name, value)
        ? 0
        : throw new MeshException(CliErrors.Script, $"there are {Variables.Max} variables already", "use one again");

    private async Task<int> Dispatch(string text, CancellationToken cancel)
    {
        string[] words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        switch (words[0])
        {
            case "exit" or "quit":
                HasEnded = true;
                return 0;
            case "help" when words.Length == 1:
                Help();
                return 0;
            case "peers" when words.Length == 1:
                PeerVerbs.ShowPeers(session, await client.GetAsync("v1/peers", ControlJson.Default.IReadOnlyListPeerView, cancel).ConfigureAwait(false));
                return 0;
            case "peers" when words is [_, "--paths"]:
                session.Terminal.Table(PathLines.Headings, PathLines.Rows(await client.GetAsync("v1/peers", ControlJson.Default.IReadOnlyListPeerView, cancel).ConfigureAwait(false)));
                return 0;
            case "connect":
                return await ConnectAsync(words, cancel).ConfigureAwait(false);
            case "jobs" when words.Length <= 2:
                return await JobVerbs.ListAsync(session, client, new JobFilter(State: words.Length > 1 ? words[1] : null), 20, cancel).ConfigureAwait(false);
            case "logs" when words.Length is 2 or 3:
                return await JobVerbs.LogsAsync(session, client, words[1], null, null, words.Length > 2 ? Offset(words[2]) : 0, follow: true, cancel).ConfigureAwait(false);
            case "why" when words.Length == 2:
                return await JobVerbs.WhyAsync(session, client, words[1], cancel).ConfigureAwait(false);
            case "show" or "cancel" or "retry" when words.Length == 2:
                return await ActAsync(words[0], words[1], cancel).ConfigureAwait(false);
            case "invite":
                InvitationView invitation = await client.PostAsync(
                    "v1/invitations", new InviteRequest(words[1..]), ControlJson.Default.InviteRequest, ControlJson.Default.InvitationView, cancel).ConfigureAwait(false);
                session.Terminal.Out.WriteLine(invitation.Code is { } code ? $"code  {code}\nlink  {invitation.Link}" : invitation.Link);
                return 0;
            case "join" when words.Length >= 2:
                PairingView paired = await client.PostAsync(
                    "v1/join", PairingVerbs.RequestOf(string.Join(' ', words[1..])), ControlJson.Default.JoinRequest, ControlJson.Default.PairingView, cancel).ConfigureAwait(false);
                session.Terminal.Out.WriteLine($"paired with {paired.Name}, check digits: {paired.CheckDigits}");
                return 0;
            case "run" when words.Length < 2 || !(words[1].StartsWith('@') || (words[1].StartsWith("--", StringComparison.Ordinal) && words[1].Length > 2)):
                return await CommandAsync(text, cancel).ConfigureAwait(false);
            case var verb when PromptVerbs.Find(verb) is not null:
                return await PromptVerbs.ExecuteAsync(session, text, cancel).ConfigureAwait(false);
            default:
                return await CommandAsync(text, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>A line for devices, or a pipe between them.</summary>
    private async Task<int> CommandAsync(string text, CancellationToken cancel)
    {
        if (PipeVerb.LineOf([text]) is { } pipe)
        {
            return await new PipeRun(client, session.Terminal).ExecuteAsync(new PipeRequest(pipe, session.Timeout?.TotalMilliseconds), failsWithAny: false, cancel).ConfigureAwait(false);
        }

        var run = new CommandRun(client, session.Terminal) { ConsoleStyle = !IsScript && !text.StartsWith('@') };
        return await run.ExecuteAsync(session.Limit(new CommandRequest(Line: text)), cancel).ConfigureAwait(false);
    }

    private async Task<int> ConnectAsync(string[] words, CancellationToken cancel)
    {
        int port = 0;
        if (words is not [_, ['@', ..]] && (words.Length != 3 || !int.TryParse(words[2], NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > 65535))
        {
            throw new MeshException(CliErrors.Usage, "connect needs a host and a port, or a device", "for example: connect 192.0.2.7 14590, or connect @gpu-box");
        }

        PeerView found = await client.PostAsync(
            "v1/connect", PeerVerbs.RequestOf(words[1], port), ControlJson.Default.ConnectRequest, ControlJson.Default.PeerView, cancel).ConfigureAwait(false);
        session.Terminal.Out.WriteLine($"connected to {found.Name} at {found.Address}");
        return 0;
    }

    private async Task<int> ActAsync(string verb, string job, CancellationToken cancel)
    {
        if (ArrayName.TryRead(job) is { Element: null })
        {
            return verb == "show"
                ? await JobVerbs.ShowAsync(session, client, job, failed: false, 50, cancel).ConfigureAwait(false)
                : await JobVerbs.ActAsync(session, client, verb, job, cancel).ConfigureAwait(false);
        }

        string query = $"id={Uri.EscapeDataString(job)}";
        JobView view = verb == "show"
            ? await client.GetAsync($"v1/job?{query}", ControlJson.Default.JobView, cancel).ConfigureAwait(false)
            : await client.PostAsync($"v1/job/{verb}?{query}", ControlJson.Default.JobView, cancel).ConfigureAwait(false);
        session.Terminal.Out.WriteLine($"{view.ShortId} {view.State} on {view.TargetName}: {view.Command}");
        return 0;
    }

    private static long Offset(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long offset)
            ? offset
            : throw new MeshException(CliErrors.Usage, $"'{text}' is not a byte offset", "a whole number from 0 is expected: logs JOB 4096");

    private void Help()
    {
        foreach ((string verb, string help) in Verbs)
        {
            // What is too long for its column has a line of its own.
            session.Terminal.Out.WriteLine(verb.Length < HelpColumn ? $"  {verb.PadRight(HelpColumn)}{help}" : $"  {verb}\n  {"".PadRight(HelpColumn)}{help}");
        }
    }
}
