using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Artifacts;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Selectors;
using AgentMesh.Mesh.Turns;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Node.Control;
using AgentMesh.Node.Links;
using AgentMesh.Node.Output;
using AgentMesh.Node.Webhooks;
using AgentMesh.Protocol.Identity;
using MeshJobView = AgentMesh.Mesh.Jobs.JobView;

namespace AgentMesh.Node.Services;

/// <summary>Turns a line into durable jobs, one per device it is for, and tells how they go.</summary>
internal sealed class CommandService(
    DeviceId self, Homes homes, JobSpecs specs, DeviceChoice choice, DeviceDirectory directory, LinkService links, Func<string> ownAddress, Entities entities, JobService jobs, ArtifactService store, NotifyRequests notifying, BulkPace pace, UlidSource ids, TimeProvider time)
{
    /// <summary>Devices at work for one line at the same time, where the caller says nothing else.</summary>
    private const int ParallelDefault = 32;
    private const int ParallelMax = 1_000;

    private const int EventsMax = 256;

    /// <summary>24 days: the longest that a timer takes.</summary>
    private const double TimeoutMsMax = int.MaxValue;

    public async IAsyncEnumerable<CommandEvent> RunAsync(CommandRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long begun = time.GetTimestamp();
        (string? selector, JobCommand command) = InteractiveCommand.Apply(request, specs.Read(request.Line, request.Target, request.LoginShell ? ["shell"] : request.Arguments));
        int parallel = request.Parallel is null or (>= 1 and <= ParallelMax)
            ? request.Parallel ?? ParallelDefault
            : throw new MeshException(NodeErrors.ControlRequest, $"{request.Parallel} devices at a time cannot be", $"parallel is 1 to {ParallelMax}");
        HomeId home = request.Input ? self : homes.Of(request.Home).Home;
        ImmutableArray<JobDependency> after = await AfterAsync(request, home, cancellationToken).ConfigureAwait(false);
        ValueList<JobArtifact> artifacts = ArtifactService.ArtifactsOf(request.Artifacts);
        ValueList<ArtifactInput> inputs = await store.InputsOfAsync(request.Inputs, home, cancellationToken).ConfigureAwait(false);
        if (!command.IsProgram && !(artifacts.IsEmpty && inputs.IsEmpty))
        {
            throw new MeshException(ArtifactErrors.BadArtifact, "artifacts and inputs are for programs only", "write: agentmesh run @peer --artifact NAME=PATH -- PROGRAM ARGUMENTS");
        }

        command = ProgramPlace.Apply(command, request.Environment, request.Directory, hasFiles: !(artifacts.IsEmpty && inputs.IsEmpty));
        JobNeeds needs = JobNeeds.Parse(request.Resources, request.Priority, request.Group);
        Notify? notify = NotifyOf(request);
        request = request with { Queue = request.Queue || !after.IsEmpty };
        ChosenDevices chosen = await choice.ChooseAsync(selector, request.Queue, needs.Resources, LeftOf(request, begun), cancellationToken).ConfigureAwait(false);
        IReadOnlyList<NamedDevice> targets = chosen.Targets;
        InteractiveCommand.CheckTargets(command, targets.Count + chosen.Away.Count);
        if (targets.Count + chosen.Away.Count > 1)
        {
            yield return new CommandEvent("targets");
        }

        foreach (NamedDevice away in chosen.Away)
        {
            yield return new CommandEvent("skipped", away.Name, AddressOf(away), Problem: new ProblemView(MeshErrors.PeerOffline, choice.AbsenceOf(away), "--queue accepts its job too, and starts it when the device is back"));
        }

        var events = Channel.CreateBounded<CommandEvent>(EventsMax);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var slots = new SemaphoreSlim(parallel);
        Task running = Task.Run(
            async () =>
            {
                Task all = Task.WhenAll(targets.Select(target => RunOneAsync(request, home, begun, new JobWish(command, after, needs, chosen.Why.GetValueOrDefault(target.Id), artifacts, inputs, notify), target, selector, IsGroup(selector), slots, events.Writer, over.Token)));
                await all.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                events.Writer.TryComplete(all.Exception?.InnerException);
            },
            CancellationToken.None);
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

    private async Task RunOneAsync(
        CommandRequest request, HomeId home, long begun, JobWish wish, NamedDevice target, string? selector, bool many, SemaphoreSlim slots, ChannelWriter<CommandEvent> events, CancellationToken cancellationToken)
    {
        bool hasSlot = false;
        string address = AddressOf(target);
        JobId? taken = null;
        using var late = new CancellationTokenSource(LeftOf(request, begun) ?? Timeout.InfiniteTimeSpan, time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        try
        {
            await slots.WaitAsync(patience.Token).ConfigureAwait(false);
            hasSlot = true;
            if (!wish.Command.IsProgram)
            {
                pace.CommandSeen();
            }

            JobSpec spec = specs.Of(wish.Command, target, selector, request.Attempts, request.AttemptTimeoutMs) with
            {
                IdempotencyKey = request.IdempotencyKey,
                QueueWhenOffline = request.Queue,
                After = wish.After,
                Artifacts = wish.Artifacts,
                Inputs = wish.Inputs,
                Needs = wish.Needs,
                Notify = wish.Notify,
            };
            spec = spec with { Target = spec.Target with { Why = wish.Why } };
            JobId id = request.IdempotencyKey is { } key ? JobId.FromIdempotencyKey(home, many ? $"{key}/{target.Id}" : key) : new JobId(home, ids.Next());
            if (!spec.QueueWhenOffline && target.Id != self)
            {
                await links.KnowAsync(target.Id, patience.Token).ConfigureAwait(false);
            }

            if (choice.WhyImpossible(target.Id, wish.Needs.Resources) is { } impossible)
            {
                throw new MeshException(MeshErrors.ImpossibleNeeds, $"{target.Name} {impossible}", ImpossibleNeeds.NextStep);
            }

            JobAccepted accepted = await entities.AskAsync<JobAccepted>(new SubmitJob(id, spec), patience.Token).ConfigureAwait(false);
            taken = id;
            choice.Placed(target.Id);
            MeshJobView first = await jobs.GetAsync(id, patience.Token).ConfigureAwait(false);
            await events.WriteAsync(new CommandEvent("accepted", target.Name, address, Job: JobViews.Of(first, accepted.Repeated)), patience.Token).ConfigureAwait(false);
            if (request.Detach)
            {
                return;
            }

            MeshJobView end = first.State.IsAtRest() && !wish.Command.IsProgram ? first : await FollowAsync(id, target, address, events, patience.Token).ConfigureAwait(false);
            await events.WriteAsync(new CommandEvent("ended", target.Name, address, end.Result?.Alias, JobViews.Of(end, accepted.Repeated)), patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The caller went away; the job goes on.
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            await events.WriteAsync(new CommandEvent("problem", target.Name, address, Problem: Late(request, taken, target)), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            await events.WriteAsync(new CommandEvent("problem", target.Name, address, Problem: Problems.Describe(error).Problem), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (hasSlot)
            {
                slots.Release();
            }
        }
    }

    /// <param name="Why">This device, of several.</param>
    private sealed record JobWish(JobCommand Command, ImmutableArray<JobDependency> After, JobNeeds Needs, string? Why, ValueList<JobArtifact> Artifacts, ValueList<ArtifactInput> Inputs, Notify? Notify);

    /// <exception cref="MeshException">AM0632, AM0633, or AM0639: it has nothing that could be told.</exception>
    private Notify? NotifyOf(CommandRequest request) => request is { Notify: not null, Input: true }
        ? throw new MeshException(MeshErrors.NotifyNotPossible, "nobody can be told how a program ended that reads from a terminal: its output is kept nowhere", "leave --notify out, or -i and -t")
        : notifying.Read(request.Notify, request.NotifyOn);

    /// <summary>What is left of the time for the whole; null for no bound.</summary>
    private TimeSpan? LeftOf(CommandRequest request, long begun) => request.TimeoutMs is { } ms
        ? TimeSpan.FromMilliseconds(Math.Clamp(ms - time.GetElapsedTime(begun).TotalMilliseconds, 0, TimeoutMsMax))
        : null;

    /// <exception cref="MeshException">AM0359, or there is no such job.</exception>
    private async Task<ImmutableArray<JobDependency>> AfterAsync(CommandRequest request, HomeId home, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> texts = request.After ?? [];
        if (texts.Count > JobDependency.Max)
        {
            throw new MeshException(MeshErrors.BadDependency, $"a job waits for at most {JobDependency.Max} others, not {texts.Count}", "let it wait for one that waits for the others");
        }

        var after = ImmutableArray.CreateBuilder<JobDependency>();
        foreach (string text in texts)
        {
            (DependencyCondition condition, string job) = JobDependency.Parse(text);
            JobId id = await jobs.FindAsync(job, cancellationToken).ConfigureAwait(false);
            if (id.Home != home)
            {
                throw new MeshException(MeshErrors.BadDependency, $"job {id.Short} has another home than this one: a job waits only for jobs of its own", "submit both to the same --home");
            }

            await jobs.GetAsync(id, cancellationToken).ConfigureAwait(false);
            after.Add(new JobDependency(condition, id));
        }

        return after.ToImmutable();
    }

    /// <summary>Then a key gives a job for each device, however many there are at the moment.</summary>
    private static bool IsGroup(string? selector) => selector is not null && Selector.Parse(selector).SingleDevice is null;

    private async Task<MeshJobView> FollowAsync(JobId id, NamedDevice target, string address, ChannelWriter<CommandEvent> events, CancellationToken cancellationToken)
    {
        Task<MeshJobView> ending = jobs.AwaitAsync(id, cancellationToken);
        await foreach (OutputPiece piece in jobs.FollowAsync(id, ending, cancellationToken).ConfigureAwait(false))
        {
            await events.WriteAsync(new CommandEvent("output", target.Name, address, Output: JobService.ViewOf(piece)), cancellationToken).ConfigureAwait(false);
        }

        return await ending.ConfigureAwait(false);
    }

    private static ProblemView Late(CommandRequest request, JobId? taken, NamedDevice target)
    {
        string limit = string.Create(CultureInfo.InvariantCulture, $"{request.TimeoutMs / 1000:0.###} s");
        return taken is { Short: var job }
            ? new ProblemView(
                MeshErrors.NoAnswer, $"job {job} on {target.Name} was not done within {limit}", $"it goes on: 'agentmesh job show {job}' and 'agentmesh job logs -f {job}' follow it, 'agentmesh job cancel {job}' ends it")
            : new ProblemView(
                MeshErrors.NoAnswer, $"the job for {target.Name} was not accepted within {limit}", "'agentmesh job list' tells whether it was taken after all; with --key it can be repeated without running twice");
    }

    private string AddressOf(NamedDevice target) =>
        target.IsSelf ? ownAddress() : directory.Addresses(target.Id) is [{ } first, ..] ? first.ToString() : target.Id.ToString();
}
