using System.Globalization;
using System.Runtime.CompilerServices;
using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Workflows;
using AgentMesh.Node.Control;
using AgentMesh.Node.Output;
using AgentMesh.Protocol.Identity;
using ArrayView = AgentMesh.Node.Control.ArrayView;
using MeshJobView = AgentMesh.Mesh.Jobs.JobView;

namespace AgentMesh.Node.Services;

/// <summary>The jobs of this device: lists, details, output, cancel and retry.</summary>
internal sealed class JobService(Homes homes, Caller caller, Entities entities, ArrayService arrays, OutputReading output, RemoteOutput remote, Devices devices, TimeProvider time)
{
    private const int PageMax = 1_000;
    private const int SearchedMax = 10_000;

    private const int LinesMax = 1_000_000;

    private static readonly TimeSpan WaitSlice = TimeSpan.FromSeconds(20);

    private readonly OutputFollowing _following = new((job, cancel) => entities.AskAsync<MeshJobView>(new GetJob(job), cancel), output, time, async (job, over, after, cancel) =>
        await entities.AskAsync<MeshJobView>(new AwaitJob(job, time.GetUtcNow() + WaitSlice) { AttemptOver = over, AttemptAfter = after }, cancel, WaitSlice + TimeSpan.FromSeconds(5)).ConfigureAwait(false));

    public async Task<JobPage> ListAsync(JobFilter filter, int limit, string? before, CancellationToken cancellationToken)
    {
        HomeIndex index = homes.Of(filter.Home);
        JobStateName? wanted = null;
        if (filter.State is { } state)
        {
            wanted = Enum.TryParse(state, ignoreCase: true, out JobStateName named) && Enum.IsDefined(named)
                ? named
                : throw new MeshException(NodeErrors.ControlRequest, $"'{state}' is no state of a job", $"states are: {string.Join(", ", Enum.GetNames<JobStateName>().Select(name => name.ToLowerInvariant()))}");
        }

        int most = Math.Clamp(limit, 1, PageMax);
        long? begin = before is null ? null : long.Parse(before, CultureInfo.InvariantCulture);
        (long Key, Control.JobView View)[] jobs = await ListJobsAsync(index, filter, wanted, most, begin, cancellationToken).ConfigureAwait(false);
        (long Key, ArrayView View)[] arrayed = [.. (await arrays.ListAsync(index, filter.State, most, begin, cancellationToken).ConfigureAwait(false)).Where(array => filter.Fits(array.View))];
        long[] keys = [.. jobs.Select(job => job.Key).Concat(arrayed.Select(array => array.Key)).OrderDescending().Take(most)];
        long last = keys.Length == most ? keys[^1] : 0;
        return new JobPage(
            [.. jobs.Where(job => job.Key >= last).Select(job => job.View)], last == 0 ? null : last.ToString(CultureInfo.InvariantCulture), [.. arrayed.Where(array => array.Key >= last).Select(array => array.View)]);
    }

    /// <summary>Without the elements of arrays.</summary>
    private async Task<(long Key, Control.JobView View)[]> ListJobsAsync(HomeIndex index, JobFilter filter, JobStateName? wanted, int limit, long? before, CancellationToken cancellationToken)
    {
        var jobs = new List<(long Key, Control.JobView View)>();
        int looked = 0;
        long? next = before;
        do
        {
            EntityPage page = await index.Journal.ListAsync($"{JobId.Prefix}{index.Home}/", next, PageMax, cancellationToken).ConfigureAwait(false);
            EntitySummary[] fitting = [.. page.Entities.Where(entity => !Parse(entity.PersistenceId).Ulid.IsPart && MayBe(entity, wanted))];
            EntitySummary[] candidates = [.. fitting.Take(limit - jobs.Count)];
            (EntitySummary Entity, Control.JobView View)[] views = await Listed.ViewsAsync(
                candidates, async entity => JobViews.Of(await GetAsync(Parse(entity.PersistenceId), cancellationToken).ConfigureAwait(false)), (entity, silence) => JobViews.Unanswered(Parse(entity.PersistenceId), entity, silence)).ConfigureAwait(false);
            (long Key, Control.JobView View)[] seen = [.. views.Select(each => (each.Entity.Key, each.View))];
            jobs.AddRange(seen.Where(each => (wanted is null || each.View.State == JobViews.NameOf(wanted.Value)) && filter.Fits(each.View)));
            looked += candidates.Length;

            // The newest first: older ones are too old as well.
            bool isPast = filter.Since is { } since && seen is [.., var oldest] && oldest.View.CreatedAt < since;
            next = isPast ? null : candidates.Length < fitting.Length ? candidates[^1].Key : page.Next;
        }
        while (jobs.Count < limit && next is not null && looked < SearchedMax);
        return [.. jobs];
    }

    private static bool MayBe(EntitySummary entity, JobStateName? wanted) =>
        wanted is null || JobManifests.StateAfter(entity.LastManifest) is not { } after || after == wanted || (after == JobStateName.Running && wanted == JobStateName.Placing);

    public async Task<Control.JobView> ShowAsync(string id, CancellationToken cancellationToken) => JobViews.Of(await GetAsync(await FindAsync(id, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false));

    /// <summary>What the journal holds of it, the oldest first.</summary>
    public async Task<IReadOnlyList<JobEventView>> HistoryAsync(string id, CancellationToken cancellationToken) =>
        await EventsAsync(await FindAsync(id, cancellationToken).ConfigureAwait(false), 1, PageMax, cancellationToken).ConfigureAwait(false);

    private async Task<IReadOnlyList<JobEventView>> EventsAsync(JobId job, long from, int max, CancellationToken cancellationToken)
    {
        HomeIndex index = homes.All.First(home => home.Home == job.Home);
        IReadOnlyList<StoredEvent> events = await index.Journal.EventsAsync(job.ToString(), from, max, cancellationToken).ConfigureAwait(false);
        return [.. events.Select(stored => ViewOf(stored.SequenceNr, JobHistoryLine.Read(stored.Manifest, stored.Payload, DateTimeOffset.FromUnixTimeMilliseconds(stored.Timestamp), devices.NameOf)))];
    }

    private static JobEventView ViewOf(long number, JobHistoryLine line) => new(number, line.At, line.What, line.Attempt, line.Text);

    public async Task<Control.JobView> CancelAsync(string id, CancellationToken cancellationToken) =>
        JobViews.Of(await entities.AskAsync<MeshJobView>(new CancelJob(await FindAsync(id, cancellationToken).ConfigureAwait(false), caller), cancellationToken).ConfigureAwait(false));

    /// <exception cref="MeshException">AM0311: what it is a part of keeps its result.</exception>
    public async Task<Control.JobView> RetryAsync(string id, bool fromStart, CancellationToken cancellationToken)
    {
        if (ArrayName.TryRead(id) is { } element)
        {
            throw new MeshException(MeshErrors.NotInThisState, $"{id} is an element of an array, which keeps its result", $"'agentmesh job retry {element.Array}' begins every element again that did not complete");
        }

        JobId job = await FindAsync(id, cancellationToken).ConfigureAwait(false);
        return (await GetAsync(job, cancellationToken).ConfigureAwait(false)).Spec.Owner is { } owner && WorkflowId.TryParse(owner.Workflow, out WorkflowId workflow)
            ? throw new MeshException(
                MeshErrors.NotInThisState, $"job {job.Short} is step {owner.Step} of the workflow {workflow.Short}, which keeps its result", $"'agentmesh workflow retry {workflow.Short} {owner.Step}' begins the step again")
            : JobViews.Of(await entities.AskAsync<MeshJobView>(new RetryJob(job, caller, fromStart), cancellationToken).ConfigureAwait(false));
    }

    public Task<MeshJobView> GetAsync(JobId id, CancellationToken cancellationToken) => entities.AskAsync<MeshJobView>(new GetJob(id), cancellationToken);

    /// <summary>Waits until the job has come to rest.</summary>
    public async Task<MeshJobView> AwaitAsync(JobId id, CancellationToken cancellationToken)
    {
        while (true)
        {
            DateTimeOffset deadline = time.GetUtcNow() + WaitSlice;
            MeshJobView view = await entities.AskAsync<MeshJobView>(new AwaitJob(id, deadline), cancellationToken, WaitSlice + TimeSpan.FromSeconds(5)).ConfigureAwait(false);
            if (view.State.IsAtRest())
            {
                return view;
            }
        }
    }

    /// <summary>Of a job that is at home here, or on another device that lets this one read.</summary>
    public async IAsyncEnumerable<OutputView> OutputAsync(OutputQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        LogStreams streams = LogStreams.Parse(query.Stream);
        OutputStart? tail = query.Tail is { } lines ? new OutputStart(0, Math.Clamp(lines, 0, LinesMax)) : null;
        OutputStart from = tail ?? query.From, fromEvent = tail ?? (streams.HasOutput ? query.FromEvent : Math.Max(query.From, query.FromEvent));
        DeviceId? elsewhere = query.At is { } at ? devices.One(at.TrimStart('@')) is { IsSelf: false, Id: var there } ? there : null
            : JobId.TryParse(query.Id, out JobId whole) && !homes.Knows(whole.Home) && !whole.Home.IsPool ? whole.Home.Device
            : null;
        JobId? here = elsewhere is null ? await FindAsync(query.Id, cancellationToken).ConfigureAwait(false) : null;
        IAsyncEnumerable<OutputPiece> Written(CancellationToken cancel) => elsewhere is { } home
            ? remote.ReadAsync(home, query.Id, streams.Output, query.Attempt, from, query.Follow, cancel)
            : ReadAsync(here!.Value, streams.Output, query.Attempt, from, query.Follow, cancel);
        IAsyncEnumerable<OutputPiece> Happened(CancellationToken cancel) => elsewhere is { } home
            ? remote.ReadAsync(home, query.Id, OutputStreamKind.Events, query.Attempt, fromEvent, query.Follow, cancel)
            : ReadEventsAsync(here!.Value, query.Attempt, fromEvent, query.Follow, cancel);
        IAsyncEnumerable<OutputPiece> pieces = !streams.HasEvents ? Written(cancellationToken)
            : !streams.HasOutput ? Happened(cancellationToken)
            : LogMerge.ReadAsync(Happened, Written, JobEventPieces.IsEnd, time, cancellationToken);
        await foreach (OutputPiece piece in pieces.ConfigureAwait(false))
        {
            yield return ViewOf(piece);
        }
    }

    /// <summary>For another device, which has the grant or runs the job.</summary>
    /// <exception cref="MeshException">AM0307, or AM0364: it may not.</exception>
    public async IAsyncEnumerable<OutputPiece> ReadForAsync(DeviceId reader, bool isGranted, OutputRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        JobId job = await FindAsync(request.JobId, cancellationToken).ConfigureAwait(false);
        MeshJobView view = await GetAsync(job, cancellationToken).ConfigureAwait(false);
        if (!isGranted && view.Device != reader)
        {
            throw new MeshException(MeshErrors.OutputDenied, $"{reader} may not read the output of {job.Short}", "grant it 'logs'");
        }

        OutputStreamKind? kind = request.Stream switch { 1 => OutputStreamKind.Stdout, 2 => OutputStreamKind.Stderr, 3 => OutputStreamKind.Events, _ => null };
        OutputStart from = request.Lines ? new OutputStart(0, (int)Math.Min(request.Offset, LinesMax)) : request.Offset;
        int? attempt = request.Attempt == 0 ? null : request.Attempt;
        await foreach (OutputPiece piece in (kind == OutputStreamKind.Events
            ? ReadEventsAsync(job, attempt, from, request.Follow, cancellationToken)
            : ReadAsync(job, kind, attempt, from, request.Follow, cancellationToken)).ConfigureAwait(false))
        {
            yield return piece;
        }
    }

    /// <summary>The output of a job from its first byte, until the job has come to rest.</summary>
    /// <param name="ending">Completes with the job when it has come to rest.</param>
    public IAsyncEnumerable<OutputPiece> FollowAsync(JobId job, Task<MeshJobView> ending, CancellationToken cancellationToken) => _following.ReadAsync(job, ending, null, null, 0, cancellationToken);

    public static OutputView ViewOf(OutputPiece piece) => piece.Stream == OutputStreamKind.Events
        ? JobEventPieces.ViewOf(piece)
        : new(piece.Attempt, piece.Stream == OutputStreamKind.Stderr ? "stderr" : "stdout", piece.Offset, piece.Data);

    private IAsyncEnumerable<OutputPiece> ReadEventsAsync(JobId job, int? attempt, OutputStart from, bool follow, CancellationToken cancellationToken) =>
        new JobEventReading(GetAsync, EventsAsync, time).ReadAsync(job, from, attempt, follow, cancellationToken).Select(JobEventPieces.Of);

    /// <summary>The output of the given attempt, else of the newest one; following, also of those that come after it.</summary>
    private async IAsyncEnumerable<OutputPiece> ReadAsync(JobId job, OutputStreamKind? stream, int? attempt, OutputStart from, bool follow, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        MeshJobView view = await GetAsync(job, cancellationToken).ConfigureAwait(false);
        if (attempt is { } wanted && (wanted < 1 || wanted > Math.Max(1, view.Attempt)))
        {
            throw new MeshException(MeshErrors.UnknownJob, $"job {job.Short} has no attempt {wanted}; it has {view.Attempt}", "leave --attempt out for the newest");
        }

        if (view.State.IsAtRest() || !follow)
        {
            int newest = attempt ?? view.Attempt;
            Task<FinalLengths?>? end = view.State.IsAtRest() ? Task.FromResult(OutputFollowing.LengthsOf(view, newest)) : null;
            await foreach (OutputPiece piece in output.ReadAsync(job, Math.Max(1, newest), stream, from, end, cancellationToken).ConfigureAwait(false))
            {
                yield return piece;
            }

            yield break;
        }

        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<MeshJobView> ending = AwaitAsync(job, over.Token);
        try
        {
            await foreach (OutputPiece piece in _following.ReadAsync(job, ending, stream, attempt, from, cancellationToken).ConfigureAwait(false))
            {
                yield return piece;
            }
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await ((Task)ending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>By whole id, by its end as it is shown, or by any part of the ulid that only one job has.</summary>
    /// <exception cref="MeshException">AM0307: no such job. AM0309: several. AM0310: it lives on another device.</exception>
    public async Task<JobId> FindAsync(string text, CancellationToken cancellationToken)
    {
        if (JobId.TryParse(text, out JobId whole))
        {
            return homes.Knows(whole.Home)
                ? whole
                : throw new MeshException(MeshErrors.HomeUnreachable, $"job {text} is at home at {whole.Home}", "ask there");
        }

        if (ArrayName.TryRead(text) is { } element)
        {
            return await arrays.JobOfAsync(element, cancellationToken).ConfigureAwait(false);
        }

        (HomeId home, Ulid ulid) = await ShortIds.FindAsync(
            homes.All, JobId.Prefix, "", text, new MeshException(MeshErrors.UnknownJob, $"there is no job '{text}'", "'agentmesh job list' shows the jobs of this device"), cancellationToken, SearchedMax, each => !each.IsPart).ConfigureAwait(false);
        return new JobId(home, ulid);
    }

    private static JobId Parse(string persistenceId) => JobId.TryParse(persistenceId, out JobId id) ? id : throw new InvariantException($"'{persistenceId}' is no job id");
}
