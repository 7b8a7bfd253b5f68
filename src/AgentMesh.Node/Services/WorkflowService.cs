using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Artifacts;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Selectors;
using AgentMesh.Mesh.Workflows;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Mesh.Workflows.File;
using AgentMesh.Node.Control;
using AgentMesh.Node.Webhooks;
using AgentMesh.Protocol.Identity;
using MeshWorkflowView = AgentMesh.Mesh.Workflows.WorkflowView;
using WorkflowView = AgentMesh.Node.Control.WorkflowView;

namespace AgentMesh.Node.Services;

/// <summary>The workflows of this device and of its pool.</summary>
internal sealed class WorkflowService(Homes homes, JobSpecs specs, Devices devices, DeviceChoice choice, Entities entities, ArtifactService artifacts, NotifyRequests notifying, UlidSource ids)
{
    private const int PageMax = 1_000;
    private const int SearchedMax = 10_000;

    /// <exception cref="MeshException">The file is wrong, with the place in it.</exception>
    public async Task<WorkflowView> SubmitAsync(WorkflowRequest request, CancellationToken cancellationToken)
    {
        HomeId home = homes.Of(request.Home).Home;
        Notify? notify = notifying.Read(request.Notify, request.NotifyOn);
        WorkflowSpec spec = await ReadAsync(request, home, cancellationToken).ConfigureAwait(false) with { IdempotencyKey = request.IdempotencyKey };
        spec = notify is null ? spec : spec with { Notify = notify };
        return await SubmitAsync(home, spec, [], cancellationToken).ConfigureAwait(false);
    }

    public async Task<WorkflowView> ShowAsync(string text, CancellationToken cancellationToken) =>
        WorkflowViews.Of(await GetAsync(await FindAsync(text, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false));

    public async Task<IReadOnlyList<WorkflowView>> ListAsync(string? home, string? state, int limit, CancellationToken cancellationToken)
    {
        HomeIndex index = homes.Of(home);
        var found = new List<WorkflowView>();
        long? next = null;
        int searched = 0;
        do
        {
            EntityPage page = await index.Journal.ListAsync($"{WorkflowId.Prefix}{index.Home}/", next, Math.Clamp(limit, 1, PageMax), cancellationToken).ConfigureAwait(false);
            (EntitySummary Entity, WorkflowView View)[] views = await Listed.ViewsAsync(
                page.Entities, async entity => WorkflowViews.Of(await GetAsync(Parse(entity.PersistenceId), cancellationToken).ConfigureAwait(false)), (entity, silence) => WorkflowViews.Unanswered(Parse(entity.PersistenceId), entity, silence)).ConfigureAwait(false);
            found.AddRange(views.Select(each => each.View).Where(view => state is null || view.State.Equals(state, StringComparison.OrdinalIgnoreCase)));
            searched += page.Entities.Count;
            next = page.Next;
        }
        while (next is not null && found.Count < limit && searched < SearchedMax);
        return [.. found.Take(limit)];
    }

    public async Task<WorkflowView> ChangeAsync(string text, WorkflowAction action, string? step, CancellationToken cancellationToken)
    {
        WorkflowId id = await FindAsync(text, cancellationToken).ConfigureAwait(false);
        return WorkflowViews.Of(await entities.AskAsync<MeshWorkflowView>(new ChangeWorkflow(id, action, step ?? "", specs.Caller), cancellationToken).ConfigureAwait(false));
    }

    /// <exception cref="MeshException">What the edit asks for is wrong, or the step runs or is over.</exception>
    public async Task<WorkflowView> EditAsync(string text, string step, StepEditRequest request, CancellationToken cancellationToken)
    {
        WorkflowId id = await FindAsync(text, cancellationToken).ConfigureAwait(false);
        WorkflowState workflow = (await GetAsync(id, cancellationToken).ConfigureAwait(false)).State;
        StepSpec edited = Edited(WorkflowChanges.StepOf(workflow, step).Spec, request);
        WorkflowReader.CheckEdited(workflow, edited);
        return WorkflowViews.Of(await entities.AskAsync<MeshWorkflowView>(new EditStep(id, edited, specs.Caller), cancellationToken).ConfigureAwait(false));
    }

    public async Task<WorkflowView> ForkAsync(string text, ForkRequest request, CancellationToken cancellationToken)
    {
        WorkflowId id = await FindAsync(text, cancellationToken).ConfigureAwait(false);
        WorkflowState workflow = (await GetAsync(id, cancellationToken).ConfigureAwait(false)).State;
        WorkflowChanges.StepOf(workflow, request.FromStep);
        WorkflowSpec spec = workflow.Spec! with
        {
            Variables = [.. Set(workflow.Spec!, request.Set)],
            Caller = specs.Caller,
            Steps = [.. workflow.Steps.Select(step => step.Spec)],
            IdempotencyKey = request.IdempotencyKey,
            ForkOf = id,
            Notify = notifying.Read(request.Notify, request.NotifyOn) ?? workflow.Spec!.Notify,
        };
        return await SubmitAsync(id.Home, spec, WorkflowRules.TakenByFork(workflow, request.FromStep), cancellationToken).ConfigureAwait(false);
    }

    private WorkflowDefaults Defaults => new(
        TargetsOf,
        line => specs.Read(line, null, null).Command,
        command => specs.Of(command, devices.Self, null, null, null),
        specs.Caller)
    {
        NotifyOf = notifying.Read,
    };

    /// <summary>Which contents a file names is known when it was read; what they are is then asked of the store, and the file is read with the answers.</summary>
    private async Task<WorkflowSpec> ReadAsync(WorkflowRequest request, HomeId home, CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<string, string> set = request.Set ?? new Dictionary<string, string>();
        var named = new HashSet<string>(StringComparer.Ordinal);
        WorkflowSpec spec = WorkflowReader.Read(request.Text, request.File, set, Defaults with { InputOf = (name, source) => Named(name, source) });
        if (named.Count == 0)
        {
            return spec;
        }

        IReadOnlyDictionary<string, StoredArtifact> known = await artifacts.ContentsAsync(named, home, cancellationToken).ConfigureAwait(false);
        return WorkflowReader.Read(request.Text, request.File, set, Defaults with
        {
            InputOf = (name, source) => known.TryGetValue(source, out StoredArtifact? found) ? ArtifactService.InputOf(name, found) : throw ArtifactService.Unknown(source),
        });

        ArtifactInput Named(string name, string source)
        {
            named.Add(source);
            return new ArtifactInput(name, ArtifactService.HashOf(source), 0);
        }
    }

    private async Task<WorkflowView> SubmitAsync(HomeId home, WorkflowSpec spec, ValueList<StepState> taken, CancellationToken cancellationToken)
    {
        WorkflowId id = spec.IdempotencyKey is { } key ? WorkflowId.FromIdempotencyKey(home, key) : new WorkflowId(home, ids.Next());
        WorkflowAccepted accepted = await entities.AskAsync<WorkflowAccepted>(new SubmitWorkflow(id, spec, taken), cancellationToken).ConfigureAwait(false);
        return WorkflowViews.Of(await GetAsync(id, cancellationToken).ConfigureAwait(false), accepted.Repeated);
    }

    private StepTargets TargetsOf(string? selector)
    {
        ArrayTargets all = choice.TargetsOf(selector);
        if (selector is null)
        {
            return new StepTargets(all, []);
        }

        Selector read = Selector.Parse(selector);
        return new StepTargets(
            all with { Labels = [.. Labels(SelectorKind.EachWith)] },
            [.. Labels(SelectorKind.OneWith)]);

        IEnumerable<string> Labels(SelectorKind kind) => read.Terms.Where(term => term.Kind == kind).Select(term => term.Value).Distinct(StringComparer.OrdinalIgnoreCase);
    }

    private StepSpec Edited(StepSpec step, StepEditRequest request)
    {
        int commands = (request.Arguments is { Count: > 0 } ? 1 : 0) + (request.Shell is null ? 0 : 1) + (request.Command is null ? 0 : 1);
        if (commands > 1 || request.Attempts is < 1 or > 100 || request.AttemptTimeoutMs is <= 0 || request.QueueTimeoutMs is <= 0 || request.TotalTimeoutMs is <= 0)
        {
            throw new MeshException(
                NodeErrors.ControlRequest, commands > 1 ? "a step has one command" : "attempts are 1 to 100, and a duration is longer than zero", "name one of: a program after --, --shell LINE, --command LINE");
        }

        JobCommand? command = request.Shell is { Length: > 0 } shell
            ? JobCommand.Program("/bin/sh", "-c", shell)
            : request.Command is not null || request.Arguments is { Count: > 0 } ? specs.Read(request.Command, null, request.Arguments).Command : null;
        JobSpec job = step.Job with
        {
            Command = command is null ? step.Job.Command : command.IsProgram ? command with { Environment = step.Job.Command.Environment, Directory = step.Job.Command.Directory } : command,
            Retry = step.Job.Retry with { Attempts = request.Attempts ?? step.Job.Retry.Attempts },
            Timeouts = step.Job.Timeouts with
            {
                Attempt = Span(request.AttemptTimeoutMs) ?? step.Job.Timeouts.Attempt,
                Queue = Span(request.QueueTimeoutMs) ?? step.Job.Timeouts.Queue,
                Total = Span(request.TotalTimeoutMs) ?? step.Job.Timeouts.Total,
            },
        };
        return step with
        {
            Job = job,
            Targets = request.On is { } on ? TargetsOf(on) : step.Targets,
            IsShell = command is null ? step.IsShell : request.Shell is not null,
            AllowFailure = request.AllowFailure ?? step.AllowFailure,
        };
    }

    private static IEnumerable<KeyValuePair<string, string>> Set(WorkflowSpec spec, IReadOnlyDictionary<string, string>? set)
    {
        if (set?.Keys.FirstOrDefault(name => spec.Variables.All(pair => pair.Key != name)) is { } unknown)
        {
            throw new MeshException(MeshErrors.UnknownVariable, $"--set names '{unknown}', which is no variable of the workflow", $"known are: {string.Join(", ", spec.Variables.Select(pair => pair.Key).Take(50))}");
        }

        return spec.Variables.Select(pair => KeyValuePair.Create(pair.Key, set is not null && set.TryGetValue(pair.Key, out string? value) ? value : pair.Value));
    }

    private static TimeSpan? Span(double? ms) => ms is { } value ? TimeSpan.FromMilliseconds(Math.Min(value, int.MaxValue)) : null;

    private Task<MeshWorkflowView> GetAsync(WorkflowId id, CancellationToken cancellationToken) => entities.AskAsync<MeshWorkflowView>(new GetWorkflow(id), cancellationToken);

    /// <summary>By whole id, by its end as it is shown, or by any part of the ulid that only one workflow has.</summary>
    /// <exception cref="MeshException">AM0376: no such workflow. AM0309: several. AM0310: it lives on another device.</exception>
    private async Task<WorkflowId> FindAsync(string text, CancellationToken cancellationToken)
    {
        if (WorkflowId.TryParse(text, out WorkflowId whole))
        {
            return homes.Knows(whole.Home)
                ? whole
                : throw new MeshException(MeshErrors.HomeUnreachable, $"{text} is at home at {whole.Home}", "ask there");
        }

        (HomeId home, Ulid ulid) = await ShortIds.FindAsync(
            homes.All, WorkflowId.Prefix, WorkflowId.ShortPrefix, text, new MeshException(MeshErrors.UnknownWorkflow, $"there is no workflow '{text}'", "'agentmesh workflow list' shows those of this device; their ids begin with w-"), cancellationToken).ConfigureAwait(false);
        return new WorkflowId(home, ulid);
    }

    private static WorkflowId Parse(string persistenceId) => WorkflowId.TryParse(persistenceId, out WorkflowId id) ? id : throw new InvariantException($"'{persistenceId}' is no workflow id");
}
