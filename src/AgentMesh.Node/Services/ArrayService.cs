using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Turns;
using AgentMesh.Node.Control;
using AgentMesh.Node.Webhooks;
using AgentMesh.Protocol.Identity;
using ArrayView = AgentMesh.Node.Control.ArrayView;
using MeshArrayView = AgentMesh.Mesh.Arrays.ArrayView;

namespace AgentMesh.Node.Services;

/// <summary>The arrays of jobs of this device and of its pool.</summary>
internal sealed class ArrayService(Homes homes, JobSpecs specs, Devices devices, DeviceChoice choice, Entities entities, NotifyRequests notifying, UlidSource ids)
{
    /// <exception cref="MeshException">The range, the table, the selector, the command or a placeholder is wrong, or the array is too large, or it may not be told to that URL (AM0632, AM0633).</exception>
    public async Task<ArrayView> SubmitAsync(ArrayRequest request, CancellationToken cancellationToken)
    {
        ArraySpec spec = SpecOf(request);
        ArrayRules.Check(spec);
        HomeId home = homes.Of(request.Home).Home;
        ArrayId id = request.IdempotencyKey is { } key ? ArrayId.FromIdempotencyKey(home, key) : new ArrayId(home, ids.Next());
        ArrayAccepted accepted = await entities.AskAsync<ArrayAccepted>(new SubmitArray(id, spec), cancellationToken).ConfigureAwait(false);
        return ViewOf(await GetAsync(id, cancellationToken).ConfigureAwait(false), accepted.Repeated);
    }

    public async Task<ArrayView> ShowAsync(string text, CancellationToken cancellationToken) =>
        ViewOf(await GetAsync(await FindAsync(text, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false));

    public async Task<ArrayElementPage> ElementsAsync(string text, int from, int limit, bool failed, CancellationToken cancellationToken)
    {
        ArrayId id = await FindAsync(text, cancellationToken).ConfigureAwait(false);
        ArrayElements page = await entities.AskAsync<ArrayElements>(new GetElements(id, from, limit, failed), cancellationToken).ConfigureAwait(false);
        return new ArrayElementPage([.. page.Elements.Select(ViewOf)], page.Next);
    }

    public async Task<ArrayView> CancelAsync(string text, CancellationToken cancellationToken) =>
        ViewOf(await entities.AskAsync<MeshArrayView>(new CancelArray(await FindAsync(text, cancellationToken).ConfigureAwait(false), specs.Caller), cancellationToken).ConfigureAwait(false));

    public async Task<ArrayView> RetryAsync(string text, CancellationToken cancellationToken) =>
        ViewOf(await entities.AskAsync<MeshArrayView>(new RetryArray(await FindAsync(text, cancellationToken).ConfigureAwait(false), specs.Caller), cancellationToken).ConfigureAwait(false));

    /// <summary>The newest, with their place among all entities of the journal.</summary>
    public async Task<(long Key, ArrayView View)[]> ListAsync(HomeIndex index, string? state, int limit, long? before, CancellationToken cancellationToken)
    {
        EntityPage page = await index.Journal.ListAsync($"{ArrayId.Prefix}{index.Home}/", before, limit, cancellationToken).ConfigureAwait(false);
        (EntitySummary Entity, ArrayView View)[] views = await Listed.ViewsAsync(
            page.Entities, async entity => ViewOf(await GetAsync(Parse(entity.PersistenceId), cancellationToken).ConfigureAwait(false)), (entity, silence) => Unanswered(Parse(entity.PersistenceId), entity, silence)).ConfigureAwait(false);
        return [.. views.Select(each => (each.Entity.Key, each.View)).Where(pair => state is null || pair.View.State.Equals(state, StringComparison.OrdinalIgnoreCase))];
    }

    /// <summary>The newest job of an element.</summary>
    /// <exception cref="MeshException">AM0357: there is none, or it has not begun.</exception>
    public async Task<JobId> JobOfAsync(ArrayName name, CancellationToken cancellationToken)
    {
        if (name.Element is not { } number)
        {
            throw new MeshException(MeshErrors.UnknownElement, $"{name.Array} is an array: it has a job for each element", $"name the element, for example {name.Array}/1; 'agentmesh job show {name.Array}' lists them");
        }

        ArrayId id = await FindAsync(name.Array, cancellationToken).ConfigureAwait(false);
        for (int? from = 0; from is { } at;)
        {
            ArrayElements page = await entities.AskAsync<ArrayElements>(new GetElements(id, at, ArrayElements.Max, Failed: false), cancellationToken).ConfigureAwait(false);
            if (page.Elements.FirstOrDefault(element => element.Number == number) is { } found)
            {
                return !found.JobId.IsNone
                    ? found.JobId
                    : throw new MeshException(MeshErrors.UnknownElement, $"element {number} of {id.Short} has not begun", $"'agentmesh job show {id.Short}' says what it waits for");
            }

            from = page.Next;
        }

        throw new MeshException(MeshErrors.UnknownElement, $"{id.Short} has no element {number}", $"'agentmesh job show {id.Short}' lists them; in a table the first row is 1");
    }

    private Task<MeshArrayView> GetAsync(ArrayId id, CancellationToken cancellationToken) => entities.AskAsync<MeshArrayView>(new GetArray(id), cancellationToken);

    private ArraySpec SpecOf(ArrayRequest request)
    {
        if (request.Range is null == request.Csv is null)
        {
            throw new MeshException(NodeErrors.ControlRequest, "an array needs either a range or a table", "see docs/control-api.md");
        }

        if (request.Parallel is < 1 or > ArraySpec.ParallelMax)
        {
            throw new MeshException(NodeErrors.ControlRequest, $"{request.Parallel} elements at a time cannot be", $"it is 1 to {ArraySpec.ParallelMax}");
        }

        ArrayRange? range = request.Range is { } text ? ArrayRange.Parse(text) : null;
        ArrayItems items = range?.Items ?? ParameterTable.Parse(request.Csv!, request.File ?? "the table");
        (string? selector, JobCommand command) = specs.Read(request.Line, request.Target, request.Arguments);
        command = ProgramPlace.Apply(command, request.Environment, request.Directory);
        JobSpec job = specs.Of(command, devices.Self, selector, request.Attempts, request.AttemptTimeoutMs) with { IdempotencyKey = request.IdempotencyKey, QueueWhenOffline = true, Needs = JobNeeds.Parse(request.Resources, request.Priority, request.Group) };
        return new ArraySpec(job, choice.TargetsOf(selector), items, request.Parallel ?? range?.Parallel) { Notify = notifying.Read(request.Notify, request.NotifyOn) };
    }

    /// <summary>By whole id, by its end as it is shown, or by any part of the ulid that only one array has.</summary>
    /// <exception cref="MeshException">AM0356: no such array. AM0309: several. AM0310: it lives on another device.</exception>
    private async Task<ArrayId> FindAsync(string text, CancellationToken cancellationToken)
    {
        if (ArrayId.TryParse(text, out ArrayId whole))
        {
            return homes.Knows(whole.Home)
                ? whole
                : throw new MeshException(MeshErrors.HomeUnreachable, $"{text} is at home at {whole.Home}", "ask there");
        }

        (HomeId home, Ulid ulid) = await ShortIds.FindAsync(
            homes.All, ArrayId.Prefix, ArrayId.ShortPrefix, text, new MeshException(MeshErrors.UnknownArray, $"there is no array '{text}'", "'agentmesh job list' shows the arrays of this device; their ids begin with a-"), cancellationToken).ConfigureAwait(false);
        return new ArrayId(home, ulid);
    }

    private static ArrayId Parse(string persistenceId) => ArrayId.TryParse(persistenceId, out ArrayId id) ? id : throw new InvariantException($"'{persistenceId}' is no array id");

    private static ArrayView Unanswered(ArrayId array, EntitySummary entity, MeshException silence) => new(
        array.ToString(), array.Short, Listed.Unanswered, "", "", null, 0, 0, 0, 0, 0, 0, DateTimeOffset.FromUnixTimeMilliseconds(entity.FirstAt), null, null, silence.Message);

    private static ArrayView ViewOf(MeshArrayView array, bool repeated = false) => new(
        array.ArrayId.ToString(),
        array.ArrayId.Short,
        array.State.ToString().ToLowerInvariant(),
        array.Command,
        array.Selector,
        array.Parallel,
        array.Count,
        array.Waiting,
        array.Running,
        array.Completed,
        array.Failed,
        array.Cancelled,
        array.AcceptedAt,
        array.EndedAt,
        array.IdempotencyKey,
        array.WaitingFor,
        repeated)
    {
        Notify = array.Notify?.Url,
        NotifyOn = DeliveryViews.OnOf(array.Notify),
        Delivery = array is { Delivery: { } delivery, EndedAt: { } ended } ? DeliveryViews.Of(ArrayDeliveryRules.IdOf(array.ArrayId, delivery, ended), array.ArrayId.Short, delivery) : null,
    };

    private static ArrayView ViewOf(MeshArrayView array) => ViewOf(array, repeated: false);

    private static ArrayElementView ViewOf(ElementView element) => new(
        element.Index,
        element.Number,
        element.State.ToString().ToLowerInvariant(),
        element.Parameters,
        element.JobId.IsNone ? null : element.JobId.ToString(),
        element.DeviceName,
        element.ExitCode,
        element.Text,
        element.Problem is { } problem ? new ProblemView(problem.Code, problem.Text, problem.NextStep) : null,
        element.BeganAt,
        element.EndedAt);
}
