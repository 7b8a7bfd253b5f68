using AgentMesh.Errors;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Jobs.Entity;
using AgentMesh.Mesh.Retention;
using AgentMesh.Mesh.Sharding;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Protocol.Identity;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Event;
using Akka.Persistence;

namespace AgentMesh.Mesh.Workflows.Entity;

/// <summary>The standard output of the last attempt of a job of this home, from its beginning; null where it is not there.</summary>
/// <param name="bytes">Its length.</param>
public delegate Task<string?> ReadOutput(JobId job, int attempt, long bytes);

/// <summary>What a workflow needs of the device it lives on.</summary>
/// <param name="Jobs">The jobs of this home.</param>
/// <param name="DevicesFor">Those on which a step may run, online or not.</param>
/// <param name="RestAfter">So long a workflow that is over stays in memory.</param>
public sealed record WorkflowEnvironment(
    DeviceId Self, IActorRef Jobs, Func<ArrayTargets, IReadOnlyList<ArrayDevice>> DevicesFor, ReadOutput ReadOutput, TimeProvider Time, TimeSpan RestAfter)
{
    /// <summary>Null for the default journal of the actor system.</summary>
    public HomeJournal? Journal { get; init; }

    /// <summary>Whether a device speaks for this home; null where only its own device does.</summary>
    public Func<DeviceId, bool>? IsHome { get; init; }

    /// <summary>Sends what is told of a workflow to its URL.</summary>
    public DeliverParcel Deliver { get; init; } = DeliveryAnswer.NothingIsSent;
}

/// <summary>
/// One workflow at its home. That a step begins is journalled, with the ids of its jobs, before the jobs are submitted; whatever is repeated after a crash
/// reaches the same jobs. A step's text is filled in from what was journalled before, so it is the same each time.
/// </summary>
public sealed class WorkflowEntity : TellingEntity<IWorkflowEvent>
{
    private const int EventsOfSnapshot = 200;

    private static readonly TimeSpan AwaitFor = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    private readonly WorkflowEnvironment _environment;
    private readonly JobWatch _watch;
    private readonly Dictionary<JobId, StepRun> _over = [];
    private readonly HashSet<JobId> _read = [];
    private readonly Dictionary<JobId, string> _notes = [];
    private WorkflowState _workflow;

    public WorkflowEntity(WorkflowId id, WorkflowEnvironment environment)
        : base(id.ToString(), environment.Self, environment.Time, EventsOfSnapshot, environment.Deliver, environment.Journal, environment.IsHome)
    {
        _environment = environment;
        _watch = new JobWatch(environment.Jobs, environment.Time, AwaitFor);
        _workflow = WorkflowState.None(id);
        Recover<SnapshotOffer>(offer => _workflow = (WorkflowState)offer.Snapshot);
        Recover<RecoveryCompleted>(_ => LookAtOnce());
        Command<SubmitWorkflow>(request => Owned(() => OnSubmit(request)));
        Command<GetWorkflow>(_ => Known(() => Sender.Tell(View())));
        Command<WakeWorkflow>(_ => Known(OnWake));
        Command<ChangeWorkflow>(request => Known(() => OnChange(request)));
        Command<EditStep>(request => Known(() => OnEdit(request)));
        FromJobs<JobAccepted>(accepted => OnFound(accepted.JobId), _watch.AskSoon);
        FromJobs<JobProblem>(OnJobProblem, _watch.AskSoon);
        FromJobs<JobView>(OnJobView, _watch.AskSoon);
        Command<OutputRead>(OnOutputRead);
        Command<WorkflowRemoved>(_ => Leave());
        Command<ReceiveTimeout>(_ => Context.Parent.Tell(new Passivate(PoisonPill.Instance)));
    }

    public static Props Create(WorkflowId id, WorkflowEnvironment environment) => Props.Create(() => new WorkflowEntity(id, environment));

    protected override string Kind => "a workflow";

    protected override object? Missing => _workflow.Exists ? null
        : LastSequenceNr > 0 ? Refusal(MeshErrors.Removed, RemovedProblem.Text($"workflow {_workflow.WorkflowId}"), RemovedProblem.NextStep)
        : Refusal(MeshErrors.UnknownWorkflow, $"there is no workflow {_workflow.WorkflowId}", "'agentmesh workflow list' shows those of this device");

    protected override void Apply(IWorkflowEvent change) => _workflow = _workflow.Apply(change);

    protected override object Snapshot() => _workflow;

    protected override object NotStored(string why) =>
        Refusal(MeshErrors.NotStored, $"the journal of this device did not take it: {why}", "look at the log of the node; 'agentmesh workflow list' tells whether it was taken after all");

    protected override TimeSpan? UntilParcel() => WorkflowDeliveryRules.UntilNext(_workflow, Now);

    protected override Parcel? ReadyParcel() => WorkflowDeliveryRules.Ready(_workflow, Now);

    protected override bool RecordTold(string deliveryId, DeliveryAnswer answer)
    {
        if (WorkflowDeliveryRules.Ended(_workflow, deliveryId, answer, Now) is not { } told)
        {
            return false;
        }

        Record(told, null, null);
        return true;
    }

    private void OnSubmit(SubmitWorkflow request)
    {
        if (_workflow.Exists)
        {
            bool isSame = _workflow.Spec!.Steps == request.Spec.Steps && _workflow.Spec.Variables == request.Spec.Variables;
            Sender.Tell(isSame
                ? new WorkflowAccepted(_workflow.WorkflowId, Repeated: true)
                : Refusal(MeshErrors.KeyReused, $"the idempotency key '{request.Spec.IdempotencyKey}' belongs to another workflow: {_workflow.Spec.Name}", "use another key, or none"));
            return;
        }

        IActorRef asker = Sender;
        Record(new WorkflowAcceptedEvent(Now, request.Spec, request.Taken), asker, () => asker.Tell(new WorkflowAccepted(_workflow.WorkflowId, Repeated: false)));
    }

    private void OnWake()
    {
        Sender.Tell(View());
        LookAtOnce();
    }

    private void OnChange(ChangeWorkflow request)
    {
        IActorRef asker = Sender;
        try
        {
            if (WorkflowChanges.Of(_workflow, request, Now) is { } change)
            {
                WorkflowState before = _workflow;
                Record(change, asker, () =>
                {
                    asker.Tell(View());
                    CancelPaused(before);
                });
            }
            else
            {
                asker.Tell(View());
            }
        }
        catch (MeshException wrong)
        {
            asker.Tell(Refusal(wrong.Code, wrong.Message, wrong.NextStep));
        }
    }

    /// <summary>A job that was paused is not needed any more where its step begins anew or is skipped. Told once: it runs nothing, and nobody waits for it.</summary>
    private void CancelPaused(WorkflowState before)
    {
        foreach ((StepState was, StepState now) in before.Steps.Zip(_workflow.Steps))
        {
            foreach (StepRun run in was.Blocks && !now.Blocks ? was.Runs.Where(run => run.End?.State == JobStateName.Paused) : [])
            {
                _environment.Jobs.Tell(new CancelJob(run.JobId, _workflow.Spec!.Caller), Self);
            }
        }
    }

    private void OnEdit(EditStep request)
    {
        IActorRef asker = Sender;
        try
        {
            Record(WorkflowChanges.Edit(_workflow, request, Now), asker, () => asker.Tell(View()));
        }
        catch (MeshException wrong)
        {
            asker.Tell(Refusal(wrong.Code, wrong.Message, wrong.NextStep));
        }
    }

    private void OnFound(JobId job)
    {
        _watch.Found(job, Self);
        LookAgain(TimeSpan.Zero);
    }

    private void OnJobProblem(JobProblem problem)
    {
        if (_watch.Take(problem, OnFound) is { } unexpected)
        {
            _notes[problem.JobId] = unexpected;
            Log.Warning("The job of a step of [{0}] is asked for again soon: {1}", PersistenceId, unexpected);
        }
    }

    private void OnJobView(JobView view)
    {
        if (RunOf(view.JobId) is not { } run)
        {
            Forget(view.JobId);
        }
        else if (!view.State.IsAtRest())
        {
            _watch.Waits(view.JobId);
            Note(view);
        }
        else if (view is { State: JobStateName.Completed, Spec.Command.IsProgram: true, Result.StdoutBytes: > 0 and <= WorkflowSpec.ValueBytesMax and var bytes })
        {
            if (_read.Add(view.JobId))
            {
                _ = _environment.ReadOutput(view.JobId, view.Attempt, bytes).PipeTo(Self, Self, text => new OutputRead(view, text), _ => new OutputRead(view, null));
            }
        }
        else
        {
            IsOver(run, view, null);
        }
    }

    private void OnOutputRead(OutputRead read)
    {
        _read.Remove(read.Job.JobId);
        if (RunOf(read.Job.JobId) is { } run)
        {
            IsOver(run, read.Job, read.Text);
        }
    }

    private void IsOver(StepRun run, JobView view, string? output)
    {
        if (_over.TryAdd(run.JobId, run with { End = WorkflowRules.End(view, output, Now) }) && _over.Count == 1)
        {
            // Behind what else came to rest meanwhile: one event for all of them.
            LookAtOnce();
        }
    }

    protected override void OnLook()
    {
        if (_over.Count > 0)
        {
            StepRun[] over = [.. _over.Values.OrderBy(run => run.DeviceName, StringComparer.Ordinal)];
            _over.Clear();
            Record(new StepJobsEndedEvent(Now, [.. over]), null, () => Array.ForEach(over, run => Forget(run.JobId)));
        }
        else if (WorkflowRules.Next(_workflow, _environment.DevicesFor, Now) is { } change)
        {
            Record(change, null, null);
        }
        else
        {
            Settle();
        }
    }

    private void Record(IWorkflowEvent change, IActorRef? asker, Action? then) => Record(WorkflowDeliveryRules.Marked(_workflow, change, NextNumber), asker, _ =>
    {
        then?.Invoke();
        Settle();
        LookAtOnce();
    });

    /// <summary>Asks about the jobs that run, then looks again in time, or rests.</summary>
    private void Settle()
    {
        TimeSpan? question = _watch.Ask(_workflow.Running.SelectMany(step => step.Runs.Where(run => run.End is null && !_read.Contains(run.JobId)).Select(run => Watched(step, run))), Self);
        if (SendParcel() is { } wait && _workflow.Rest is not null)
        {
            // At rest nothing is due but this, until a person does something.
            Context.SetReceiveTimeout(null);
            LookAgain(wait);
            return;
        }

        if (!_workflow.Exists || _workflow.EndedAt is not null)
        {
            StopLooking();
            Context.SetReceiveTimeout(_environment.RestAfter);
            return;
        }

        Context.SetReceiveTimeout(null);

        // Whether a device came is not foreseen.
        LookAgain(question < LookEvery ? question.Value : LookEvery);
    }

    private WatchedJob Watched(StepState step, StepRun run) => new(
        run.JobId, () => WorkflowRules.Submission(_workflow, step, run), _workflow.CancelledBy is { } by ? new CancelJob(run.JobId, by) : null);

    private StepRun? RunOf(JobId job) => _workflow.Exists ? _workflow.Running.SelectMany(step => step.Runs).FirstOrDefault(run => run.JobId == job && run.End is null) : null;

    private void Note(JobView view)
    {
        if (view.WaitingFor is { } reason)
        {
            _notes[view.JobId] = reason;
        }
        else
        {
            _notes.Remove(view.JobId);
        }
    }

    private void Forget(JobId job)
    {
        _watch.Forget(job);
        _notes.Remove(job);
    }

    private WorkflowView View() => new(_workflow.WorkflowId, _workflow, [.. _workflow.Steps.Select(NoteOf).OfType<StepNote>()]);

    private StepNote? NoteOf(StepState step) => step.Name switch
    {
        StepStateName.Waiting when WorkflowRules.WaitingFor(_workflow, step, _environment.DevicesFor) is { } reason => new StepNote(step.Spec.Name, reason),
        StepStateName.Running when step.Runs.Select(run => _notes.GetValueOrDefault(run.JobId)).OfType<string>().ToArray() is [_, ..] notes => new StepNote(step.Spec.Name, string.Join("; ", notes.Take(10))),
        _ => null,
    };

    protected override WorkflowProblem Refusal(string code, string text, string? next) => new(_workflow.WorkflowId, new Problem(code, text, next));

    private sealed record OutputRead(JobView Job, string? Text) : INoSerializationVerificationNeeded;
}
