using System.Runtime.InteropServices;
using AgentMesh.Cli.Client;
using AgentMesh.Cli.Output;
using AgentMesh.Cli.Verbs;
using AgentMesh.Errors;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Interactive;

/// <summary>Runs a program whose input is the standard input of this process, on a terminal of its own or through a pipe.</summary>
internal sealed class InteractiveRun(ControlClient client, Terminal terminal)
{
    /// <summary>What is left to say when the person has left.</summary>
    private static readonly TimeSpan CancelWithin = TimeSpan.FromSeconds(5);

    private InputEnd _end;

    /// <param name="onTerminal">The program gets a terminal of the size and name of this one.</param>
    /// <exception cref="MeshException">AM0625: there is no terminal here.</exception>
    public async Task<int> ExecuteAsync(CommandRequest request, bool onTerminal, CancellationToken cancel)
    {
        if (onTerminal && !Tty.IsTerminal)
        {
            throw new MeshException(CliErrors.NoTerminal, "standard input and output are no terminal", "leave -t out to send a file or the output of a program: run -i @peer -- PROGRAM");
        }

        (int columns, int rows) = Tty.Size ?? (80, 24);
        string name = Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } term ? term : "dumb";
        request = request with { Input = true, Terminal = onTerminal ? new TerminalView(name, columns, rows) : null };
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        string? job = null, shortId = null;
        Task sending = Task.CompletedTask;
        var run = new CommandRun(client, terminal)
        {
            IsQuiet = onTerminal,

            // Keys that are typed here, and shown here, would be written over.
            ShowsProgress = !onTerminal && Console.IsInputRedirected,
            Accepted = accepted =>
            {
                (job, shortId) = (accepted.Id, accepted.ShortId);
                sending = SendAsync(new InputPump(client, accepted.Id, onTerminal), over);
            },
            Ending = Tty.Restore,
        };
        using PosixSignalRegistration hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, _ => Tty.Restore());
        try
        {
            int code = await run.ExecuteAsync(request, over.Token).ConfigureAwait(false);
            job = null;
            return code;
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // The reason stands in the task of the sender, where it was the sender.
            await sending.ConfigureAwait(false);
            if (_end == InputEnd.Detached)
            {
                Tty.Restore();
                job = null;
                terminal.Hint($"\nit goes on: 'agentmesh attach {shortId}' comes back to it, 'agentmesh job cancel {shortId}' ends it");
                return 0;
            }

            cancel.ThrowIfCancellationRequested();
            return CommandRun.MeshFailure;
        }
        finally
        {
            Tty.Restore();
            await over.CancelAsync().ConfigureAwait(false);
            await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (job is not null)
            {
                await CancelAsync(job).ConfigureAwait(false);
            }
        }
    }

    /// <summary>A program belongs to the terminal it was started from.</summary>
    private async Task CancelAsync(string job)
    {
        using var patience = new CancellationTokenSource(CancelWithin);
        try
        {
            await client.PostAsync($"v1/job/cancel?id={Uri.EscapeDataString(job)}", ControlJson.Default.JobView, patience.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is MeshException or OperationCanceledException)
        {
            // Its device ends it when nothing was heard for agentmesh.workers.input-grace.
        }
    }

    /// <param name="over">Cancelled here when the person leaves, or the input is refused.</param>
    private async Task SendAsync(InputPump pump, CancellationTokenSource over)
    {
        try
        {
            _end = await pump.RunAsync(over.Token).ConfigureAwait(false);
        }
        catch (MeshException) when (!over.IsCancellationRequested)
        {
            await over.CancelAsync().ConfigureAwait(false);
            throw;
        }

        if (_end != InputEnd.Over)
        {
            await over.CancelAsync().ConfigureAwait(false);
        }
    }
}
