using AgentMesh.Errors;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Workers.Admission;
using AgentMesh.Workers.Fences;
using AgentMesh.Workers.Handlers;
using AgentMesh.Workers.Input;
using AgentMesh.Workers.Reports;
using AgentMesh.Workers.Shims;
using AgentMesh.Workers.Spool;

namespace AgentMesh.Workers.Attempts;

/// <summary>One attempt on this device, from the order to its end, and its output until the home has it.</summary>
public sealed class Execution
{
    /// <summary>In the directory of the attempt, while a program waits for who sends its input without limit.</summary>
    private const string InputLeftFile = "input-left";

    private readonly CancellationTokenSource _cancel = new();
    private readonly CancellationTokenSource _leave = new();
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile ShimRun? _run;
    private AttemptAdmission? _admission;
    private readonly TaskCompletionSource _settleNow = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly TaskCompletionSource _closeOutput = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private MeshException? _why;
    private bool _isConcluded;

    internal Execution(AttemptOrder order, AttemptSpool? spool, ExecutionTools tools)
    {
        Order = order;
        Spool = spool;
        Reports = spool is null ? null : new ProgramReports(ReportsOf(order, spool.Directory));
        if (Reports is { } reports)
        {
            spool!.Passing = reports.Take;
        }
        Input = order.Input is { } input && order.IsProgram && tools.Shims is not null
            ? new ProgramInput(input, tools.Input.Grace, tools.Time, () => GiveUp(InputLost(tools)), spool is null ? null : Path.Combine(spool.Directory, InputLeftFile))
            : null;
    }

    public AttemptOrder Order { get; }

    /// <summary>The output of a program; null for a handler, whose result is its text.</summary>
    public AttemptSpool? Spool { get; }

    /// <summary>What a program says of itself; null for a handler.</summary>
    internal ProgramReports? Reports { get; }

    /// <summary>What the program reads; null where it reads nothing.</summary>
    public ProgramInput? Input { get; }

    /// <summary>False while it waits for its turn.</summary>
    public bool HasStarted { get; private set; }

    /// <summary>Completes when it has its turn, unless it ends before.</summary>
    public Task Begun => _begun.Task;

    /// <summary>In words, what it waits for here; null once it runs.</summary>
    public string? Waiting => HasStarted || Ended.IsCompleted ? null : _admission?.WhyWaits(Order.Key);

    /// <summary>Never faults.</summary>
    public Task<AttemptResult> Ended { get; private set; } = null!;

    /// <summary>
    /// Completes when the end may be told to the home: it has all of the output or no room for it, or the attempt was cancelled. A result that is recorded before would stand
    /// there without its output if this device died now. Never faults.
    /// </summary>
    public Task Settled { get; private set; } = null!;

    /// <summary>The home has journalled the end.</summary>
    public bool IsAcknowledged { get; internal set; }

    /// <summary>Somebody writes its end down.</summary>
    internal bool IsAudited { get; set; }

    internal bool HasShipped => Spool is null || Spool.Drained.IsCompleted;

    /// <summary>Those of a program that is locked in have a directory of their own; of one that was taken over only that tells.</summary>
    private static string ReportsOf(AttemptOrder order, string directory) =>
        ConfinedProgram.ReportsIn(directory) is var own && (order.Confinement is not null || Directory.Exists(own)) ? own : directory;

    /// <summary>Asks, then aborts, then kills; <see cref="Ended"/> tells when it is over.</summary>
    public void Cancel()
    {
        _cancel.Cancel();
        _settleNow.TrySetResult();
    }

    /// <summary>Nobody reads what the program writes to stdout any more: it is told at its next write.</summary>
    public void CloseOutput() => _closeOutput.TrySetResult();

    internal Task OutputClosed => _closeOutput.Task;

    /// <summary>Ends it as failed, for a reason that is not the program's. The first reason counts, also for the next process of the node; none does once the end is known.</summary>
    internal void GiveUp(MeshException why)
    {
        lock (_gate)
        {
            if (_why is null && !_isConcluded)
            {
                _why = why;
                RememberWhy(why);
            }
        }

        Cancel();
    }

    /// <summary>Before the program is told to end: a node that is killed then finds how it ended, and not why.</summary>
    private void RememberWhy(MeshException why)
    {
        try
        {
            if (Spool is { } spool)
            {
                GivenUpFile.Write(spool.Directory, why);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It holds until the node ends.
        }
    }

    private static MeshException InputLost(ExecutionTools tools) => new(
        WorkerErrors.InputLost,
        $"the device whose program writes the input was away from {tools.DeviceName} for longer than {tools.Input.Grace.TotalSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture)} s",
        "run the pipe again; agentmesh.workers.input-grace there says how long it is waited for");

    /// <summary>The home has no room for the output: the end does not wait for it.</summary>
    public void SettleWithoutOutput() => _settleNow.TrySetResult();

    /// <param name="turn">Completes when it may begin.</param>
    internal void Begin(ExecutionTools tools, AttemptAdmission admission, Task turn)
    {
        _admission = admission;
        if (turn.IsCompletedSuccessfully)
        {
            HasStarted = true;
            _begun.TrySetResult();
        }

        Ended = Task.Run(() => RunAndReportAsync(tools, turn, takenOver: null));
        Settled = SettleAsync();
    }

    /// <summary>An earlier process of this node has begun it.</summary>
    internal void TakeOver(ExecutionTools tools, AttemptAdmission admission, FoundAttempt found)
    {
        _admission = admission;
        if (found.End is null)
        {
            // It runs, whether or not there is room for it.
            admission.TakeOver(Order);
        }

        HasStarted = true;
        _begun.TrySetResult();
        _run = new ShimRun(Order, Spool!, Reports!, Input, OutputClosed, tools);
        if (GivenUpFile.TryRead(found.Directory) is { } why)
        {
            // The program may not have been told yet.
            _why = why;
            Cancel();
        }

        Ended = Task.Run(() => RunAndReportAsync(tools, Task.CompletedTask, found));
        Settled = SettleAsync();
    }

    /// <summary>The node goes and the program stays: <see cref="Ended"/> does not complete any more in this process.</summary>
    /// <returns>False where there is nothing that could stay.</returns>
    internal bool TryLeave()
    {
        if (_run is null || Ended.IsCompleted)
        {
            return false;
        }

        _leave.Cancel();
        return true;
    }

    private async Task SettleAsync()
    {
        await Ended.ConfigureAwait(false);
        if (Spool is { } spool)
        {
            await Task.WhenAny(spool.Drained, _settleNow.Task).ConfigureAwait(false);
        }
    }

    /// <summary>What the program left at its very end goes with the result: the next attempt is to have it.</summary>
    private async Task<AttemptResult> RunAndReportAsync(ExecutionTools tools, Task turn, FoundAttempt? takenOver)
    {
        AttemptResult result = await RunAsync(tools, turn, takenOver).ConfigureAwait(false);
        MeshException? why;
        lock (_gate)
        {
            _isConcluded = true;
            why = _why;
        }

        // Whatever the program made of it: one that sees a part of its input and then its end may well say that all is well.
        if (result.Outcome != AttemptOutcome.Refused && why is not null)
        {
            result = result with { Outcome = AttemptOutcome.Failed, Problem = ProblemOf(why) };
        }

        if (Order.PipeTo is not null)
        {
            result = result with { StdoutBytes = 0, PipedBytes = result.StdoutBytes };
        }

        Reports?.Look(hasEnded: true);
        return result.Outcome == AttemptOutcome.Succeeded ? result : result with { Checkpoint = Reports?.Unkept?.Data };
    }

    private async Task<AttemptResult> RunAsync(ExecutionTools tools, Task turn, FoundAttempt? takenOver)
    {
        try
        {
            AttemptFolder? folder = Order.HasFolder ? new AttemptFolder(Order, tools) : null;
            if (takenOver is not null)
            {
                return await FinishAsync(folder, await _run!.FollowAsync(takenOver.End, _cancel.Token, _leave.Token).ConfigureAwait(false)).ConfigureAwait(false);
            }

            await turn.WaitAsync(_cancel.Token).ConfigureAwait(false);
            _cancel.Token.ThrowIfCancellationRequested();
            HasStarted = true;
            _begun.TrySetResult();
            if (Order is { IsProgram: true, Input: not null } && tools.Shims is null)
            {
                throw new MeshException(WorkerErrors.NoInput, $"{tools.DeviceName} cannot give input to programs: it has no supervisor for them", "interactive programs need Linux there; see docs/interactive.md");
            }

            if (Order.Confinement is not null && tools.Shims is null)
            {
                throw ProgramFence.NotConfined(tools.DeviceName, "it has no supervisor for programs");
            }

            if (!Order.IsProgram)
            {
                return folder is null ? await HandleAsync(tools).ConfigureAwait(false) : throw AttemptFolder.NoProgram();
            }

            if (folder is not null)
            {
                await folder.PrepareAsync(_cancel.Token).ConfigureAwait(false);
            }

            if (tools.Shims is { } shims)
            {
                _run = new ShimRun(Order, Spool!, Reports!, Input, OutputClosed, tools);
                await _run.StartAsync(shims, folder).ConfigureAwait(false);
                return await FinishAsync(folder, await _run.FollowAsync(null, _cancel.Token, _leave.Token).ConfigureAwait(false)).ConfigureAwait(false);
            }

            return await FinishAsync(folder, await new ProgramRun(Order, Spool!, Reports!, tools, folder).ExecuteAsync(_cancel.Token).ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_cancel.IsCancellationRequested)
        {
            return End(AttemptOutcome.Cancelled, null);
        }
        catch (MeshException) when (_cancel.IsCancellationRequested)
        {
            // A shim that never became ready is ended by now, and nobody wants its program any more.
            return End(AttemptOutcome.Cancelled, null);
        }
        catch (MeshException refused)
        {
            return End(AttemptOutcome.Refused, refused);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _run?.KillAll();
            return End(AttemptOutcome.Failed, new MeshException(WorkerErrors.SpoolFailed, $"the output could not be kept on the device: {error.Message}", "free space in its data directory"));
        }
        finally
        {
            Input?.Dispose();
            Spool?.End();
            _admission!.Leave(Order.Key);
        }
    }

    /// <summary>The program is over: what it left behind goes to the home before its end is told.</summary>
    private async Task<AttemptResult> FinishAsync(AttemptFolder? folder, AttemptResult result)
    {
        Spool!.End();
        _admission!.Leave(Order.Key);
        if (folder is null || result.Outcome != AttemptOutcome.Succeeded)
        {
            return result;
        }

        using var over = CancellationTokenSource.CreateLinkedTokenSource(_cancel.Token, _leave.Token);
        try
        {
            return result with { Artifacts = [.. await folder.DeliverAsync(over.Token).ConfigureAwait(false)] };
        }
        catch (OperationCanceledException) when (_leave.IsCancellationRequested && !_cancel.IsCancellationRequested)
        {
            // The next process of this node delivers it.
            await new TaskCompletionSource().Task.ConfigureAwait(false);
            throw;
        }
        catch (MeshException problem)
        {
            return result with { Outcome = AttemptOutcome.Failed, Problem = ProblemOf(problem) };
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return result with { Outcome = AttemptOutcome.Failed, Problem = new Problem(Mesh.Artifacts.ArtifactErrors.NotMade, $"what the program left behind cannot be read: {error.Message}", "look at the disk of the device") };
        }
    }

    private async Task<AttemptResult> HandleAsync(ExecutionTools tools)
    {
        if (!tools.Handlers.TryFind(Order.Line, out ICommandHandler? handler, out string arguments))
        {
            throw tools.Handlers.Unknown(Order.Line, tools.DeviceName);
        }

        using var late = new CancellationTokenSource(Order.Timeout ?? Timeout.InfiniteTimeSpan, tools.Time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_cancel.Token, late.Token);
        DateTimeOffset? deadline = Order.Timeout is { } given ? tools.Time.GetUtcNow() + given : null;
        try
        {
            CommandResult result = await handler.ExecuteAsync(new CommandCall(arguments, Order.Caller.Device, Order.Caller.DeviceName, deadline), limit.Token).ConfigureAwait(false);
            return Bounded(handler, result);
        }
        catch (OperationCanceledException) when (!_cancel.IsCancellationRequested && limit.IsCancellationRequested)
        {
            return End(AttemptOutcome.TimedOut, ProgramRun.TimedOut(Order));
        }
        catch (MeshException problem)
        {
            // What the caller typed is wrong; the same line would fail again.
            return End(AttemptOutcome.Refused, problem) with { ExitCode = 1 };
        }
        catch (Exception defect) when (defect is not OperationCanceledException)
        {
            return End(
                AttemptOutcome.Failed,
                new MeshException(WorkerErrors.HandlerFailed, $"the handler of '{handler.Name}' failed: {defect.GetType().Name}: {defect.Message}", "this is a defect of that handler")) with
            { ExitCode = 1 };
        }
    }

    private AttemptResult Bounded(ICommandHandler handler, CommandResult result)
    {
        int bytes = System.Text.Encoding.UTF8.GetByteCount(result.Text);
        if (bytes > CommandResult.TextBytesMax)
        {
            return End(
                AttemptOutcome.Refused,
                new MeshException(WorkerErrors.ResultTooLarge, $"the result of '{handler.Name}' has {bytes} bytes; {CommandResult.TextBytesMax} are the most", "use a program with 'run': its output has no such bound")) with
            { ExitCode = 1 };
        }

        AttemptOutcome outcome = result.ExitCode == 0 ? AttemptOutcome.Succeeded : AttemptOutcome.Failed;
        return new AttemptResult(outcome, result.ExitCode, result.Text, Alias: Order.Alias);
    }

    internal static Problem? ProblemOf(MeshException? problem) => problem is null ? null : new Problem(problem.Code, problem.Message, problem.NextStep);

    private AttemptResult End(AttemptOutcome outcome, MeshException? problem) => new(outcome, Problem: ProblemOf(problem), Alias: Order.Alias);
}
