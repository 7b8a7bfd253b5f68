using AgentMesh.Errors;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Turns;
using AgentMesh.Shim.Format;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Fences;
using AgentMesh.Workers.Input;
using AgentMesh.Workers.Processes;
using AgentMesh.Workers.Reports;
using AgentMesh.Workers.Spool;

namespace AgentMesh.Workers.Shims;

/// <summary>Follows one program in its shim, from whichever moment on: reads how far its output is, passes on what the home has, ends it on demand.</summary>
/// <param name="input">Of the program; null where it has none.</param>
/// <param name="outputClosed">Completes when nobody reads stdout any more.</param>
internal sealed class ShimRun(AttemptOrder order, AttemptSpool spool, ProgramReports reports, ProgramInput? input, Task outputClosed, ExecutionTools tools)
{
    /// <summary>A shim that was asked to end its program and has not, so long after the grace, is killed with it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan ReconnectAfter = TimeSpan.FromMilliseconds(50);
    private const int ReconnectsMax = 40;
    private const int PieceBytes = 64 * 1024;

    private readonly string _directory = spool.Directory;

    /// <exception cref="MeshException">AM0605: there is no such program. AM0628: there is no such directory. AM0614: the shim cannot be started. AM0177, AM0178: it cannot be locked in.</exception>
    /// <param name="folder">Where it runs; null for the directory that programs share.</param>
    public async Task StartAsync(ShimSettings settings, AttemptFolder? folder)
    {
        Dictionary<string, string> environment = ProgramRun.EnvironmentOf(order, folder);
        string work = folder?.Beginning ?? ProgramDirectory.Find(order.Directory, tools.WorkingDirectory);
        if (order.Words.Concat(environment.Values).Any(word => word.Contains('\0', StringComparison.Ordinal)))
        {
            throw new MeshException(WorkerErrors.Arguments, "a program or an argument holds a zero character", "no system can pass it on; leave it out");
        }

        if (order.Confinement is not null)
        {
            PrivateFolder.Create(ConfinedProgram.ReportsIn(_directory));
        }

        reports.Prepare(order.Checkpoint, environment);
        string path = environment.GetValueOrDefault("PATH") ?? Environment.GetEnvironmentVariable("PATH") ?? "", directory = work;
        IReadOnlyList<string> words;
        if (order.Input is { LoginShell: true })
        {
            (words, directory) = LoginShell.Find(tools.WorkingDirectory);
            directory = order.Directory is null ? directory : work;
        }
        else
        {
            words = [ProgramPath.Find(order.Words[0], work, path), .. order.Words.Skip(1)];
        }

        if (order.Confinement is { } confinement)
        {
            words = ConfinedProgram.Prepare(confinement, words, _directory, folder!.Work, settings.Command, tools, environment);
        }

        TerminalSize? terminal = null;
        if (order.Input?.Terminal is { } wanted)
        {
            environment["TERM"] = wanted.Name;
            terminal = new TerminalSize(wanted.Columns, wanted.Rows);
            _ = ProgramPath.Find("setsid", tools.WorkingDirectory, path);
        }

        environment.Remove(Guard.CgroupVariable);
        if (tools.Cgroups?.TryCreate(ExecutionTable.NameOf(order.Key), order.Needs.Resources) is { } group)
        {
            environment[Guard.CgroupVariable] = group.Directory;
        }

        AttemptFile.Write(_directory, order);
        new LaunchFile(words, environment, directory, spool.BytesMax, order.Timeout, tools.Grace, settings.Lease) { TakesInput = order.Input is not null, Terminal = terminal }
            .Write(Path.Combine(_directory, ShimFiles.Launch));
        await tools.ShimProcesses.StartAsync(settings.Command, _directory, tools.Time).ConfigureAwait(false);
    }

    /// <param name="known">The end, where it is known already.</param>
    /// <param name="cancel">Ends the program.</param>
    /// <param name="leave">Lets the program be: then this does not complete any more.</param>
    public async Task<AttemptResult> FollowAsync(EndRecord? known, CancellationToken cancel, CancellationToken leave)
    {
        AttemptResult result = await FollowProgramAsync(known, cancel, leave).ConfigureAwait(false);
        if (tools.Cgroups is not { } tree || await tree.Of(ExecutionTable.NameOf(order.Key)).EndAsync(tools.Time).ConfigureAwait(false) is not { } usage)
        {
            return result;
        }

        return result with
        {
            Usage = usage with { IsOutOfMemory = false },
            Problem = result.Problem is null && usage.IsOutOfMemory && result.Outcome == AttemptOutcome.Failed ? Execution.ProblemOf(OutOfMemory(usage)) : result.Problem,
        };
    }

    private MeshException OutOfMemory(ProgramUsage usage) => new(
        WorkerErrors.OutOfMemory,
        $"a process of the program was ended for want of memory on {tools.DeviceName}; at most it had {ResourceAmounts.Shown(ResourceAmounts.Memory, (usage.MemoryPeakBytes ?? 0) * 1_000)}",
        "ask for more with --resource mem=AMOUNT, or let it take less");

    private async Task<AttemptResult> FollowProgramAsync(EndRecord? known, CancellationToken cancel, CancellationToken leave)
    {
        EndRecord? end = known;
        for (int tries = 0; end is null && tries < ReconnectsMax; tries++)
        {
            ShimRecord? record = LivingPrograms.RecordOf(_directory);
            try
            {
                end = await ConverseAsync(cancel, leave).ConfigureAwait(false);
            }
            catch (Exception error) when (error is IOException || (error is OperationCanceledException && leave.IsCancellationRequested))
            {
                // Nobody listens: it ends, or has been killed. Or this node goes.
            }

            if (leave.IsCancellationRequested && !cancel.IsCancellationRequested)
            {
                await new TaskCompletionSource().Task.ConfigureAwait(false);
            }

            end ??= EndRecord.TryRead(Path.Combine(_directory, ShimFiles.End));
            if (end is null && record is not null && tools.ShimProcesses.IsAlive(record))
            {
                await Task.Delay(ReconnectAfter, tools.Time, CancellationToken.None).ConfigureAwait(false);
            }
            else
            {
                break;
            }
        }

        if (end is null)
        {
            KillAll();
            spool.Rescan();
            return cancel.IsCancellationRequested ? Result(AttemptOutcome.Cancelled, 137, null) : Result(AttemptOutcome.Lost, null, Lost());
        }

        spool.Advance(SpoolStream.Stdout, end.StdoutBytes);
        spool.Advance(SpoolStream.Stderr, end.StderrBytes);
        return end.Outcome == ShimOutcome.Exited && ConfinedProgram.WhyNotBegun(_directory, order.Words[0], tools.DeviceName) is { } why
            ? Result(AttemptOutcome.Refused, null, why)
            : Conclude(end);
    }

    /// <returns>Null when the connection ended before the program did.</returns>
    private async Task<EndRecord?> ConverseAsync(CancellationToken cancel, CancellationToken leave)
    {
        using IShimLink shim = await tools.ShimProcesses.OpenAsync(_directory, leave).ConfigureAwait(false);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(leave);
        Task acknowledging = AcknowledgeAsync(shim, over.Token);
        Task cancelling = CancelAsync(shim, cancel, over.Token);
        Task closing = CloseOutputAsync(shim, over.Token);
        Task feeding = Task.CompletedTask;
        try
        {
            byte[] buffer = new byte[ShimFrame.Size];
            while (await shim.ReadAsync(buffer, leave).ConfigureAwait(false) is { } frame)
            {
                switch (frame.Kind)
                {
                    case ShimFrameKind.Hello when frame.Code != ShimFrame.Version:
                        return null;
                    case ShimFrameKind.Hello:
                        spool.Advance(SpoolStream.Stdout, frame.A);
                        spool.Advance(SpoolStream.Stderr, frame.B);
                        spool.Acknowledge(SpoolStream.Stdout, frame.A);
                        spool.Acknowledge(SpoolStream.Stderr, frame.B);
                        input?.Connected(frame.C);
                        feeding = input is null ? feeding : FeedAsync(shim, input, over.Token);
                        break;
                    case ShimFrameKind.InputTaken:
                        input?.Take(frame.A, frame.Detail == 1);
                        break;
                    case ShimFrameKind.Output:
                        spool.Advance(SpoolStream.Stdout, frame.A);
                        spool.Advance(SpoolStream.Stderr, frame.B);
                        break;
                    case ShimFrameKind.Ended:
                        return EndRecord.Of(frame);
                }
            }
        }
        catch (OperationCanceledException) when (leave.IsCancellationRequested)
        {
            // The caller looks.
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(acknowledging, cancelling, feeding, closing).ConfigureAwait(false);
        }

        return null;
    }

    private async Task CloseOutputAsync(IShimLink shim, CancellationToken over)
    {
        try
        {
            await outputClosed.WaitAsync(over).ConfigureAwait(false);
            await shim.SendAsync(new ShimFrame(ShimFrameKind.CloseOutput, 0, 0, 0, 0, 0), over).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The program has ended, or the node goes.
        }
    }

    /// <summary>Brings what there is of the input to the shim, which never holds more of it than it has room for.</summary>
    private static async Task FeedAsync(IShimLink shim, ProgramInput input, CancellationToken over)
    {
        byte[] message = new byte[ShimFrame.Size + PieceBytes];
        try
        {
            while (true)
            {
                Task changed = input.Changed;
                while (input.Next(message.AsSpan(ShimFrame.Size)) is { } step)
                {
                    step.Frame.Write(message);
                    await shim.SendAsync(message.AsMemory(0, ShimFrame.Size + step.Bytes), over).ConfigureAwait(false);
                }

                await changed.WaitAsync(over).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The program has ended, or the node goes.
        }
    }

    private async Task AcknowledgeAsync(IShimLink shim, CancellationToken over)
    {
        long stdout = 0, stderr = 0;
        try
        {
            while (true)
            {
                Task changed = spool.Changed;
                (long Stdout, long Stderr) now = (spool.Acknowledged(SpoolStream.Stdout), spool.Acknowledged(SpoolStream.Stderr));
                if (now != (stdout, stderr))
                {
                    (stdout, stderr) = now;
                    await shim.SendAsync(new ShimFrame(ShimFrameKind.Acknowledge, 0, 0, stdout, stderr, 0), over).ConfigureAwait(false);
                }

                await changed.WaitAsync(over).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The program has ended, or the node goes.
        }
    }

    private async Task CancelAsync(IShimLink shim, CancellationToken cancel, CancellationToken over)
    {
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, over);
            await Task.Delay(Timeout.InfiniteTimeSpan, tools.Time, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!over.IsCancellationRequested)
        {
            await AskToEndAsync(shim, over).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The program has ended, or the node goes.
        }
    }

    private async Task AskToEndAsync(IShimLink shim, CancellationToken over)
    {
        try
        {
            await shim.SendAsync(new ShimFrame(ShimFrameKind.Cancel, 0, 0, (long)tools.Grace.TotalMilliseconds, 0, 0), over).ConfigureAwait(false);
            await Task.Delay(tools.Grace + tools.Grace + Patience, tools.Time, over).ConfigureAwait(false);
            KillAll();
        }
        catch (OperationCanceledException)
        {
            // It has ended.
        }
    }

    /// <summary>The shim, the program and what it started, wherever it is; nothing where they have ended.</summary>
    public void KillAll()
    {
        if (LivingPrograms.RecordOf(_directory) is { } record)
        {
            tools.ShimProcesses.End(record);
        }

        tools.Cgroups?.Of(ExecutionTable.NameOf(order.Key)).Kill();
        tools.ShimProcesses.KillStrays(order.Key);
    }

    private AttemptResult Conclude(EndRecord end) => end.Outcome switch
    {
        ShimOutcome.Cancelled => Result(AttemptOutcome.Cancelled, end.ExitCode, null),
        ShimOutcome.TimedOut => Result(AttemptOutcome.TimedOut, end.ExitCode, ProgramRun.TimedOut(order)),
        ShimOutcome.LeaseOver => Result(AttemptOutcome.Lost, null, new MeshException(
            WorkerErrors.LeaseOver, $"{tools.DeviceName} ended the program because its node was away for longer than agentmesh.workers.lease", "nothing needs to be done: it is tried again")),
        ShimOutcome.SpoolFailed => Result(AttemptOutcome.Failed, end.ExitCode, new MeshException(
            WorkerErrors.SpoolFailed, $"the output could not be kept on the device: {new System.ComponentModel.Win32Exception(end.Errno).Message}", "free space in its data directory")),
        _ => Result(end.ExitCode == 0 ? AttemptOutcome.Succeeded : AttemptOutcome.Failed, end.ExitCode, null),
    };

    private AttemptResult Result(AttemptOutcome outcome, int? code, MeshException? problem) =>
        new(outcome, code, null, spool.Length(SpoolStream.Stdout), spool.Length(SpoolStream.Stderr), Execution.ProblemOf(problem), order.Alias);

    private MeshException Lost() =>
        new(WorkerErrors.ShimLost, $"the supervisor of the program on {tools.DeviceName} was killed, and the program with it", "nothing needs to be done: it is tried again");
}
