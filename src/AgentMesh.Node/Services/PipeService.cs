using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Commands;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Turns;
using AgentMesh.Node.Control;
using AgentMesh.Node.Input;
using AgentMesh.Node.Links;
using AgentMesh.Node.Output;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport;
using AgentMesh.Workers;
using AgentMesh.Workers.Attempts;
using MeshJobView = AgentMesh.Mesh.Jobs.JobView;

namespace AgentMesh.Node.Services;

/// <summary>
/// Programs on several devices, each reading what the one before it writes. The stages are jobs of one attempt; the bytes go from device to device, and the home sees
/// to it that all of them end when one is cancelled, refused or lost.
/// </summary>
/// <param name="knows">Whether a device has a handler of this name.</param>
/// <param name="awayMax">A device that is away for longer ends the pipe.</param>
internal sealed class PipeService(
    DeviceId self, JobSpecs specs, DeviceChoice choice, LinkService links, Entities entities, JobService jobs, InputFeeder feeder, Func<DeviceId, string, bool> knows, UlidSource ids, TimeSpan awayMax, TimeProvider time)
{
    private const int EventsMax = 256;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan CancelWithin = TimeSpan.FromSeconds(10);

    public async IAsyncEnumerable<CommandEvent> RunAsync(PipeRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(request.TimeoutMs is { } ms ? TimeSpan.FromMilliseconds(Math.Clamp(ms, 0, int.MaxValue)) : Timeout.InfiniteTimeSpan, time);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        Stage[] stages = await ResolveAsync(PipeLine.Parse(request.Line), over.Token).ConfigureAwait(false);
        var events = Channel.CreateBounded<CommandEvent>(EventsMax);
        Task running = Task.Run(() => RunAsync(stages, events.Writer, request, over.Token, cancellationToken), CancellationToken.None);
        try
        {
            await foreach (CommandEvent happened in events.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return happened;
            }
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <exception cref="MeshException">AM0361: a stage is for several devices, or takes no input.</exception>
    private async Task<Stage[]> ResolveAsync(PipeLine pipe, CancellationToken cancellationToken)
    {
        var stages = new Stage[pipe.Stages.Count];
        for (int i = 0; i < stages.Length; i++)
        {
            CommandLine line = pipe.Stages[i];
            ChosenDevices chosen = await choice.ChooseAsync(line.Selector, mayWait: false, JobNeeds.None.Resources, within: null, cancellationToken).ConfigureAwait(false);
            if (chosen is not { Targets: [{ } device], Away.Count: 0 })
            {
                throw new MeshException(MeshErrors.PipeSyntax, $"stage {i + 1}, '{line.Command}', is for {chosen.Targets.Count + chosen.Away.Count} devices", "each stage runs on one: name it, or take any of several with @any:LABEL");
            }

            if (!device.IsSelf)
            {
                await links.KnowAsync(device.Id, cancellationToken).ConfigureAwait(false);
            }

            IReadOnlyList<string> words = Quoting.Split(line.Command);
            bool isHandler = i == 0 && words[0] != "run" && knows(device.Id, words[0].ToLowerInvariant());
            JobCommand command = isHandler ? JobCommand.Handler(line.Command)
                : specs.Read(words[0] == "run" ? line.Command : "run -- " + line.Command, null, null).Command;
            stages[i] = new Stage(i, device, line.Selector, command, new JobId(self, ids.Next()));
        }

        for (int i = 0; i < stages.Length; i++)
        {
            JobCommand command = stages[i].Command;
            JobInput? input = i == 0 ? null : new JobInput(stages[i - 1].Command.IsProgram ? stages[i - 1].Device.Id : null);
            JobPipe? next = i == stages.Length - 1 || !command.IsProgram ? null : new JobPipe(stages[i + 1].Device.Id, stages[i + 1].Job);
            stages[i] = stages[i] with { Command = command with { Input = input, PipeTo = next } };
        }

        return stages;
    }

    private async Task RunAsync(Stage[] stages, ChannelWriter<CommandEvent> events, PipeRequest request, CancellationToken over, CancellationToken caller)
    {
        var taken = new List<Stage>();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(over);
        bool isDone = false;
        try
        {
            // The last one first: who reads is there before somebody writes.
            foreach (Stage stage in stages.Reverse())
            {
                JobSpec spec = specs.Of(stage.Command, stage.Device, stage.Selector, attempts: 1, attemptTimeoutMs: null);
                spec = spec with { Retry = spec.Retry with { Attempts = 1, FailWhenUsedUp = true } };
                taken.Add(stage);
                await entities.AskAsync<JobAccepted>(new SubmitJob(stage.Job, spec), ended.Token).ConfigureAwait(false);
            }

            foreach (Stage stage in stages)
            {
                await events.WriteAsync(EventOf("accepted", stage, await jobs.GetAsync(stage.Job, ended.Token).ConfigureAwait(false)), ended.Token).ConfigureAwait(false);
            }

            Task<Stage>[] running = [.. stages.Select(stage => FollowAsync(stage, stage.Index == 0 ? null : stages[stage.Index - 1], events, ended.Token))];
            Task watching = WatchAsync(stages, running, ended.Token);
            Task feeding = stages[0].Command.IsProgram ? Task.CompletedTask : FeedResultAsync(stages[0], stages[1], ended.Token);
            Task all = Task.WhenAll(running);
            List<Task> waiting = [watching, feeding, .. running];
            while (!all.IsCompleted)
            {
                Task first = await Task.WhenAny(waiting).ConfigureAwait(false);
                await first.ConfigureAwait(false);
                waiting.Remove(first);
            }

            await all.ConfigureAwait(false);
            isDone = true;
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested && !caller.IsCancellationRequested)
        {
            var problem = new ProblemView(MeshErrors.PipeBroken, $"the pipe was not done within {request.TimeoutMs / 1000:0.###} s, and was ended", "give it more time with --timeout");
            await events.WriteAsync(new CommandEvent("problem", Problem: problem), CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception error) when (!caller.IsCancellationRequested)
        {
            await events.WriteAsync(new CommandEvent("problem", Problem: Problems.Describe(error).Problem), CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            await ended.CancelAsync().ConfigureAwait(false);
            if (!isDone)
            {
                await CancelAsync(taken).ConfigureAwait(false);
            }

            events.TryComplete();
        }
    }

    /// <param name="before">Whose output it reads.</param>
    /// <exception cref="MeshException">AM0363: the stage did not come to its own end. AM0362: what it reads broke off.</exception>
    private async Task<Stage> FollowAsync(Stage stage, Stage? before, ChannelWriter<CommandEvent> events, CancellationToken cancellationToken)
    {
        Task<MeshJobView> ending = jobs.AwaitAsync(stage.Job, cancellationToken);
        if (stage.Command.IsProgram)
        {
            await foreach (OutputPiece piece in jobs.FollowAsync(stage.Job, ending, cancellationToken).ConfigureAwait(false))
            {
                await events.WriteAsync(new CommandEvent("output", stage.Device.Name, Output: JobService.ViewOf(piece)) { Stage = stage.Index }, cancellationToken).ConfigureAwait(false);
            }
        }

        MeshJobView end = await ending.ConfigureAwait(false);
        await events.WriteAsync(EventOf("ended", stage, end), cancellationToken).ConfigureAwait(false);
        if (end.Problem?.Code == WorkerErrors.InputLost && before is not null)
        {
            throw Away(before);
        }

        if (end.State != JobStateName.Completed && end.Problem?.Code != MeshErrors.ExitCode)
        {
            throw new MeshException(
                MeshErrors.PipeBroken,
                $"stage {stage.Index + 1} on {stage.Device.Name} {(end.State == JobStateName.Cancelled ? "was cancelled" : "failed")}, and the pipe with it" + (end.Problem is { } why ? $": {why.Code}: {why.Text}" : ""),
                end.Problem?.NextStep ?? $"'agentmesh job show {stage.Job.Short}' tells more");
        }

        return stage;
    }

    /// <exception cref="MeshException">AM0362: a device is away for too long.</exception>
    private async Task WatchAsync(Stage[] stages, Task<Stage>[] running, CancellationToken cancellationToken)
    {
        var awaySince = new Dictionary<DeviceId, long>();
        while (true)
        {
            await Task.Delay(LookEvery, time, cancellationToken).ConfigureAwait(false);
            foreach (Stage stage in stages.Where(stage => !stage.Device.IsSelf && !running[stage.Index].IsCompleted))
            {
                if (choice.IsOnline(stage.Device.Id))
                {
                    awaySince.Remove(stage.Device.Id);
                }
                else if (awaySince.TryAdd(stage.Device.Id, time.GetTimestamp()))
                {
                    continue;
                }
                else if (time.GetElapsedTime(awaySince[stage.Device.Id]) >= awayMax)
                {
                    throw Away(stage);
                }
            }
        }
    }

    private MeshException Away(Stage stage) => new(
        MeshErrors.PipeDeviceAway,
        $"{stage.Device.Name}, where stage {stage.Index + 1} of the pipe runs, is away for longer than {awayMax.TotalSeconds:0.#} s; the other stages were ended",
        "run the pipe again when it is back; agentmesh.workers.input-grace says how long it is waited for");

    /// <summary>A handler has a result and no output: the home sends that.</summary>
    private async Task FeedResultAsync(Stage from, Stage to, CancellationToken cancellationToken)
    {
        var text = new TypedInput();
        Task feeding = feeder.FeedAsync(text, new AttemptKey(to.Job, 1), to.Device.Id, byHome: false, StreamPriority.Bulk, cancellationToken);
        MeshJobView end = await jobs.AwaitAsync(from.Job, cancellationToken).ConfigureAwait(false);
        if (end.Result?.Text is { } result)
        {
            await text.WriteAsync(Encoding.UTF8.GetBytes(result + "\n"), cancellationToken).ConfigureAwait(false);
            text.End();
        }

        await feeding.ConfigureAwait(false);
    }

    private async Task CancelAsync(IEnumerable<Stage> stages)
    {
        using var patience = new CancellationTokenSource(CancelWithin, time);
        foreach (Stage stage in stages)
        {
            try
            {
                await entities.AskAsync<MeshJobView>(new CancelJob(stage.Job, specs.Caller), patience.Token).ConfigureAwait(false);
            }
            catch (Exception error) when (error is MeshException or OperationCanceledException)
            {
                // It was not accepted, or is at rest.
            }
        }
    }

    private static CommandEvent EventOf(string type, Stage stage, MeshJobView view) => new(type, stage.Device.Name, Alias: view.Result?.Alias, Job: JobViews.Of(view)) { Stage = stage.Index };

    private sealed record Stage(int Index, NamedDevice Device, string? Selector, JobCommand Command, JobId Job);
}
