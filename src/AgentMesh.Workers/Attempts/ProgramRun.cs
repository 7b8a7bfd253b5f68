using System.Globalization;
using AgentMesh.Errors;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Workers.Processes;
using AgentMesh.Workers.Reports;
using AgentMesh.Workers.Shims;
using AgentMesh.Workers.Spool;

namespace AgentMesh.Workers.Attempts;

/// <summary>Runs one program: starts it, moves its output into the spool, ends it when its time is up or it is cancelled.</summary>
internal sealed class ProgramRun(AttemptOrder order, AttemptSpool spool, ProgramReports reports, ExecutionTools tools, AttemptFolder? folder)
{
    private const int PieceBytes = 32 * 1024;

    public static MeshException TimedOut(AttemptOrder order) =>
        new(WorkerErrors.AttemptTimedOut, $"the attempt took longer than {order.Timeout!.Value.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s and was ended", "give it more time with --attempt-timeout");

    /// <summary>What a program is told of its job.</summary>
    public static Dictionary<string, string> EnvironmentOf(AttemptOrder order, AttemptFolder? folder)
    {
        var environment = new Dictionary<string, string>(order.Environment, StringComparer.Ordinal)
        {
            [StrayProcesses.JobVariable] = order.Key.Job.ToString(),
            [StrayProcesses.AttemptVariable] = order.Key.Attempt.ToString(CultureInfo.InvariantCulture),
            ["AGENTMESH_CALLER"] = order.Caller.DeviceName,
        };
        folder?.AddTo(environment);
        return environment;
    }

    public async Task<AttemptResult> ExecuteAsync(CancellationToken cancel)
    {
        Dictionary<string, string> environment = EnvironmentOf(order, folder);
        reports.Prepare(order.Checkpoint, environment);
        using ILaunchedProcess process = tools.Launcher.Launch(new ProcessOrder(order.Words, folder?.Beginning ?? ProgramDirectory.Find(order.Directory, tools.WorkingDirectory), environment));
        tools.Ledger.Add(process.Id);
        try
        {
            return await FollowAsync(process, cancel).ConfigureAwait(false);
        }
        finally
        {
            process.Kill();
            tools.Ledger.Remove(process.Id);
        }
    }

    private async Task<AttemptResult> FollowAsync(ILaunchedProcess process, CancellationToken cancel)
    {
        using var stopPumps = new CancellationTokenSource();
        Task pumps = Task.WhenAll(
            PumpAsync(process.Stdout, SpoolStream.Stdout, stopPumps.Token),
            PumpAsync(process.Stderr, SpoolStream.Stderr, stopPumps.Token));
        AttemptOutcome? ended = await WaitAsync(process, cancel).ConfigureAwait(false);
        if (ended is not null)
        {
            await EndAsync(process).ConfigureAwait(false);
        }

        int code = await process.Exited.ConfigureAwait(false);

        // A grandchild that left the group may hold the pipe open: what the program itself wrote is there once its leader has gone, the rest
        // is waited for as long as the pipe moves, at most for the grace.
        process.Kill();
        if (await Task.WhenAny(pumps, Task.Delay(tools.Grace, tools.Time, CancellationToken.None)).ConfigureAwait(false) != pumps)
        {
            await stopPumps.CancelAsync().ConfigureAwait(false);
        }

        await pumps.ConfigureAwait(false);
        return Conclude(ended, code);
    }

    /// <returns>Null where the program ended by itself.</returns>
    private async Task<AttemptOutcome?> WaitAsync(ILaunchedProcess process, CancellationToken cancel)
    {
        Task limit = order.Timeout is { } timeout ? Task.Delay(timeout, tools.Time, cancel) : Task.Delay(Timeout.InfiniteTimeSpan, tools.Time, cancel);
        Task first = await Task.WhenAny(process.Exited, limit).ConfigureAwait(false);
        if (first == process.Exited)
        {
            return null;
        }

        return cancel.IsCancellationRequested ? AttemptOutcome.Cancelled : AttemptOutcome.TimedOut;
    }

    private async Task EndAsync(ILaunchedProcess process)
    {
        process.AskToEnd();
        Task patience = Task.Delay(tools.Grace, tools.Time, CancellationToken.None);
        if (await Task.WhenAny(process.Exited, patience).ConfigureAwait(false) == patience)
        {
            process.Kill();
        }
    }

    private async Task PumpAsync(Stream from, SpoolStream to, CancellationToken cancel)
    {
        byte[] piece = new byte[PieceBytes];
        try
        {
            int read;
            while ((read = await from.ReadAsync(piece, cancel).ConfigureAwait(false)) > 0)
            {
                await spool.AppendAsync(to, piece.AsMemory(0, read), cancel).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The program has ended and the rest of its group as well.
        }
    }

    private AttemptResult Conclude(AttemptOutcome? ended, int code)
    {
        AttemptOutcome outcome = ended ?? (code == 0 ? AttemptOutcome.Succeeded : AttemptOutcome.Failed);
        MeshException? problem = outcome switch
        {
            AttemptOutcome.TimedOut => TimedOut(order),
            _ => null,
        };
        return new AttemptResult(
            outcome, code, null, spool.Length(SpoolStream.Stdout), spool.Length(SpoolStream.Stderr), Execution.ProblemOf(problem), order.Alias);
    }
}
