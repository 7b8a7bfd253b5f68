using System.Runtime.InteropServices;
using AgentMesh.Cli.Client;
using AgentMesh.Cli.Output;
using AgentMesh.Cli.Verbs;
using AgentMesh.Errors;
using AgentMesh.Node;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Interactive;

/// <summary>Runs a program whose input is the standard input of this process, on a terminal of its own or through a pipe.</summary>
internal sealed class InteractiveRun(ControlClient client, Terminal terminal)
{
    private const int PieceBytes = 64 * 1024;

    /// <summary>The reader looks so often whether it is still wanted.</summary>
    private static readonly TimeSpan ReadWithin = TimeSpan.FromMilliseconds(100);

    /// <summary>What is left to say when the person has left.</summary>
    private static readonly TimeSpan CancelWithin = TimeSpan.FromSeconds(5);

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
        string? job = null;
        Task sending = Task.CompletedTask;
        var run = new CommandRun(client, terminal)
        {
            IsQuiet = onTerminal,

            // Keys that are typed here, and shown here, would be written over.
            ShowsProgress = !onTerminal && Console.IsInputRedirected,
            Accepted = accepted =>
            {
                job = accepted.Id;
                sending = SendAsync(accepted.Id, onTerminal, over);
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
    private async Task SendAsync(string job, bool onTerminal, CancellationTokenSource over)
    {
        try
        {
            using InputLink link = await client.OpenInputAsync(job, over.Token).ConfigureAwait(false);
            if (onTerminal)
            {
                Tty.MakeRaw();
            }

            using PosixSignalRegistration? resizing = onTerminal && !OperatingSystem.IsWindows() ? PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => TellSize(link)) : null;
            if (onTerminal)
            {
                TellSize(link);
            }

            using var done = CancellationTokenSource.CreateLinkedTokenSource(over.Token);
            Task reading = Task.Run(() => ReadAsync(link, onTerminal ? new EscapeKeys() : null, done.Token), CancellationToken.None);
            Task first = await Task.WhenAny(reading, link.Closed).ConfigureAwait(false);
            await done.CancelAsync().ConfigureAwait(false);
            if (first == reading)
            {
                await reading.ConfigureAwait(false);
            }

            await link.Closed.WaitAsync(over.Token).ConfigureAwait(false);
        }
        catch (MeshException ended) when (ended.Code == NodeErrors.InputOver)
        {
            // It ended before its input was asked for, as a program does that cannot start: the events of the command say how.
        }
        catch (MeshException) when (!over.IsCancellationRequested)
        {
            await over.CancelAsync().ConfigureAwait(false);
            throw;
        }
        catch (LeaveException)
        {
            await over.CancelAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The program has ended.
        }
    }

    private static void TellSize(InputLink link)
    {
        if (Tty.Size is { } size)
        {
            _ = link.SendAsync(new InputMessage("resize", size.Columns, size.Rows), CancellationToken.None);
        }
    }

    private static async Task ReadAsync(InputLink link, EscapeKeys? keys, CancellationToken cancel)
    {
        byte[] buffer = new byte[PieceBytes];
        while (!cancel.IsCancellationRequested)
        {
            if (Tty.Read(buffer, ReadWithin) is not { } read)
            {
                continue;
            }

            if (read == 0)
            {
                await link.SendAsync(new InputMessage("end"), cancel).ConfigureAwait(false);
                return;
            }

            ReadOnlyMemory<byte> typed = keys is null ? buffer.AsMemory(0, read) : keys.Pass(buffer.AsSpan(0, read));
            if (!typed.IsEmpty)
            {
                await link.SendAsync(typed, cancel).ConfigureAwait(false);
            }

            if (keys is { IsLeaving: true })
            {
                throw new LeaveException();
            }
        }
    }

    private sealed class LeaveException : Exception;
}
