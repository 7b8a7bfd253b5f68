using System.Runtime.CompilerServices;
using System.Threading.Channels;
using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Node.Control;
using AgentMesh.Node.Links;
using AgentMesh.Node.Output;
using AgentMesh.Protocol.Identity;
using MeshJobView = AgentMesh.Mesh.Jobs.JobView;

namespace AgentMesh.Node.Services;

/// <summary>Turns a line into durable jobs, one per device it is for, and tells how they go.</summary>
internal sealed class CommandService(
    DeviceId self, JobSpecs specs, Devices devices, DeviceDirectory directory, LinkService links, Func<string> ownAddress, Entities entities, JobService jobs, UlidSource ids, TimeProvider time)
{
    private const int EventsMax = 256;

    public async IAsyncEnumerable<CommandEvent> RunAsync(CommandRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        (string? selector, JobCommand command) = specs.Read(request.Line, request.Target, request.Arguments);
        IReadOnlyList<NamedDevice> targets = devices.Select(selector);
        if (targets.Count > 1)
        {
            yield return new CommandEvent("targets");
        }

        var events = Channel.CreateBounded<CommandEvent>(EventsMax);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task running = Task.Run(
            async () =>
            {
                await Task.WhenAll(targets.Select(target => RunOneAsync(request, command, target, selector, targets.Count > 1, events.Writer, over.Token))).ConfigureAwait(false);
                events.Writer.TryComplete();
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
        CommandRequest request, JobCommand command, NamedDevice target, string? selector, bool many, ChannelWriter<CommandEvent> events, CancellationToken cancellationToken)
    {
        string address = AddressOf(target);
        try
        {
            JobSpec spec = specs.Of(command, target, selector, request.Attempts, request.AttemptTimeoutMs) with { IdempotencyKey = request.IdempotencyKey, QueueWhenOffline = request.Queue };
            JobId id = request.IdempotencyKey is { } key ? JobId.FromIdempotencyKey(self, many ? $"{key}/{target.Id}" : key) : new JobId(self, ids.Next());
            if (!spec.QueueWhenOffline && target.Id != self)
            {
                await links.KnowAsync(target.Id, cancellationToken).ConfigureAwait(false);
            }

            JobAccepted accepted = await entities.AskAsync<JobAccepted>(new SubmitJob(id, spec), cancellationToken).ConfigureAwait(false);
            MeshJobView first = await jobs.GetAsync(id, cancellationToken).ConfigureAwait(false);
            await events.WriteAsync(new CommandEvent("accepted", target.Name, address, Job: JobViews.Of(first, accepted.Repeated)), cancellationToken).ConfigureAwait(false);
            if (request.Detach)
            {
                return;
            }

            MeshJobView end = await WaitAsync(request, id, command.IsProgram, first, target, address, events, cancellationToken).ConfigureAwait(false);
            await events.WriteAsync(new CommandEvent("ended", target.Name, address, end.Result?.Alias, JobViews.Of(end, accepted.Repeated)), cancellationToken).ConfigureAwait(false);
        }
        catch (MeshException error)
        {
            await events.WriteAsync(new CommandEvent("problem", target.Name, address, Problem: new ProblemView(error.Code, error.Message, error.NextStep)), cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The caller went away; the job goes on.
        }
        catch (Exception defect) when (defect is not OperationCanceledException)
        {
            await events.WriteAsync(new CommandEvent("problem", target.Name, address, Problem: Problems.Describe(defect).Problem), CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task<MeshJobView> WaitAsync(
        CommandRequest request, JobId id, bool mayHaveOutput, MeshJobView first, NamedDevice target, string address, ChannelWriter<CommandEvent> events, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using ITimer? limit = request.TimeoutMs is { } ms ? time.CreateTimer(_ => patience.Cancel(), null, TimeSpan.FromMilliseconds(ms), Timeout.InfiniteTimeSpan) : null;
        try
        {
            if (!mayHaveOutput && first.State.IsAtRest())
            {
                return first;
            }

            Task<MeshJobView> ending = jobs.AwaitAsync(id, patience.Token);
            await foreach (OutputPiece piece in jobs.FollowAsync(id, ending, patience.Token).ConfigureAwait(false))
            {
                await events.WriteAsync(new CommandEvent("output", target.Name, address, Output: JobService.ViewOf(piece)), patience.Token).ConfigureAwait(false);
            }

            return await ending.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new MeshException(
                MeshErrors.NoAnswer, $"job {id.Short} on {target.Name} was not done within {request.TimeoutMs / 1000:0.###} s", $"it goes on: 'agentmesh job show {id.Short}' and 'agentmesh job logs -f {id.Short}' follow it, 'agentmesh job cancel {id.Short}' ends it");
        }
    }

    private string AddressOf(NamedDevice target) =>
        target.IsSelf ? ownAddress() : directory.Addresses(target.Id) is [{ } first, ..] ? first.ToString() : target.Id.ToString();
}
