using System.Runtime.InteropServices;
using AgentMesh.Cli.Client;
using AgentMesh.Cli.Output;
using AgentMesh.Cli.Verbs;
using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Node;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Interactive;

/// <summary>Comes to a job that runs: follows its output, and sends what is typed here where its program reads that and nobody else sends it.</summary>
internal sealed class AttachRun(Session session, ControlClient client)
{
    private readonly Terminal _terminal = session.Terminal;
    private InputEnd _end;

    /// <param name="tail">Lines before the end; with <paramref name="from"/> null as well, from the end on.</param>
    /// <param name="takesInput">False to look on.</param>
    /// <returns>The exit code of the job; 0 when it was left, or is at home elsewhere.</returns>
    /// <exception cref="MeshException">AM0228: it has ended.</exception>
    public async Task<int> ExecuteAsync(string id, long? from, int? tail, string? at, bool takesInput, CancellationToken cancel)
    {
        JobView? job = at is null ? await FindAsync(id, cancel).ConfigureAwait(false) : null;
        if (job is { State: "completed" or "failed" or "cancelled" or "paused" })
        {
            throw new MeshException(CliErrors.NothingToAttach, $"job {job.ShortId} does not run: it is {job.State}", $"agentmesh logs {job.ShortId} prints what it wrote");
        }

        bool onTerminal = job is { Terminal: true } && Tty.IsTerminal && !_terminal.Json;
        bool sends = job is { Input: true } && takesInput && !_terminal.Json && (onTerminal || !job.Terminal);
        if (job is { Terminal: true } && takesInput && !onTerminal)
        {
            _terminal.Hint("no terminal is here: only its output follows");
        }

        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using PosixSignalRegistration hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, _ => Tty.Restore());
        bool hasEnded = false;
        Task sending = sends ? SendAsync(job!, onTerminal, over) : Task.CompletedTask;
        try
        {
            await JobVerbs.LogsAsync(session, client, job?.Id ?? id, null, null, from ?? 0, follow: true, over.Token, from is null ? tail ?? 0 : null, at).ConfigureAwait(false);
            hasEnded = true;
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // Left, by a key or by Ctrl+C.
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            Tty.Restore();
        }

        await sending.ConfigureAwait(hasEnded ? ConfigureAwaitOptions.SuppressThrowing : ConfigureAwaitOptions.None);
        if (!hasEnded)
        {
            string name = job?.ShortId ?? id;
            _terminal.Hint($"\nit goes on: 'agentmesh attach {name}' comes back to it, 'agentmesh job cancel {name}' ends it");
            return 0;
        }

        return job is null ? 0 : Conclude(await client.GetAsync($"v1/job?id={Uri.EscapeDataString(job.Id)}", ControlJson.Default.JobView, CancellationToken.None).ConfigureAwait(false));
    }

    /// <summary>Null where it is at home elsewhere: its output can be read from here, and no more.</summary>
    private async Task<JobView?> FindAsync(string id, CancellationToken cancel)
    {
        try
        {
            return await client.GetAsync($"v1/job?id={Uri.EscapeDataString(id)}", ControlJson.Default.JobView, cancel).ConfigureAwait(false);
        }
        catch (MeshException elsewhere) when (elsewhere.Code == MeshErrors.HomeUnreachable)
        {
            return null;
        }
    }

    private async Task SendAsync(JobView job, bool onTerminal, CancellationTokenSource over)
    {
        try
        {
            _end = await new InputPump(client, job.Id, onTerminal) { IsAttached = true }.RunAsync(over.Token).ConfigureAwait(false);
        }
        catch (MeshException held) when (held.Code == NodeErrors.InputHeld)
        {
            _terminal.Hint($"{held.Message}: only its output follows");
            return;
        }
        finally
        {
            Tty.Restore();
        }

        if (_end != InputEnd.Over)
        {
            await over.CancelAsync().ConfigureAwait(false);
        }
    }

    private int Conclude(JobView job)
    {
        if (job.State == "completed")
        {
            return 0;
        }

        if (job.Problem is { } problem && problem.Code != MeshErrors.ExitCode)
        {
            _terminal.Problem(new MeshException(problem.Code, problem.Message, problem.Next));
        }
        else if (!job.Terminal)
        {
            _terminal.Hint(job.ExitCode is { } code and > 0 ? $"agentmesh: {job.TargetName}: exit code {code}" : $"agentmesh: {job.TargetName}: {job.State}");
        }

        return job.ExitCode is > 0 and { } failed ? failed : CommandRun.MeshFailure;
    }
}
