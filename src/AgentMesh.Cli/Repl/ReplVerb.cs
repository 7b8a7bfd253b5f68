using System.CommandLine;
using AgentMesh.Cli.Client;
using AgentMesh.Cli.Verbs;
using AgentMesh.Node.Control;
using AgentMesh.Node.Settings;

namespace AgentMesh.Cli.Repl;

/// <summary>The verb <c>repl</c>: a person's prompt, or, with piped input, a script runner.</summary>
internal static class ReplVerb
{
    public static Command Create(GlobalOptions global) =>
        global.Verb("repl", "Ask the mesh line by line; with piped input, run a script and end with the first failure's exit code.", [], async (session, _, cancel) =>
        {
            NodeSettings settings = session.Settings();
            using ControlClient client = session.Connect();

            // Fails here, and not at the first line, where no node runs.
            StatusView status = await client.GetAsync("v1/status", ControlJson.Default.StatusView, cancel).ConfigureAwait(false);
            var lines = new ReplLines(session, client);
            return Console.IsInputRedirected
                ? await Script(lines, Console.In, cancel).ConfigureAwait(false)
                : await Prompt(session, lines, client, status.Name, settings, cancel).ConfigureAwait(false);
        });

    /// <summary>Runs every line; a failure does not stop the script, and the first one decides the exit code.</summary>
    internal static async Task<int> Script(ReplLines lines, TextReader input, CancellationToken cancel)
    {
        int first = 0;
        while (await input.ReadLineAsync(cancel).ConfigureAwait(false) is { } line)
        {
            int code = await lines.ExecuteAsync(line, cancel).ConfigureAwait(false);
            if (lines.HasEnded)
            {
                break;
            }

            first = first == 0 ? code : first;
        }

        return first;
    }

    private static async Task<int> Prompt(Session session, ReplLines lines, ControlClient client, string name, NodeSettings settings, CancellationToken cancel)
    {
        session.Terminal.Note($"AgentMesh on {name}. 'help' shows what can be typed, Tab completes, Ctrl+R searches earlier lines, Ctrl+T shows jobs, 'exit' leaves.");
        var completion = new Completion(new KnownNames(client), FileNames.Beginning);
        var editor = new LineEditor(new History(Path.Combine(settings.DataDirectory, "repl_history")), completion.Complete, new JobPanel(client).Lines);
        while (!lines.HasEnded && !cancel.IsCancellationRequested && editor.Read("> ") is { } line)
        {
            // Ctrl+C ends the wait for the running line, not the prompt; an accepted job goes on.
            using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            ConsoleCancelEventHandler stop = (_, press) =>
            {
                press.Cancel = true;
                interrupt.Cancel();
            };
            Console.CancelKeyPress += stop;
            try
            {
                await lines.ExecuteAsync(line, interrupt.Token).ConfigureAwait(false);
            }
            finally
            {
                Console.CancelKeyPress -= stop;
            }
        }

        return 0;
    }
}
