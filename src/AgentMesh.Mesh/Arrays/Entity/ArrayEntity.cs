using AgentMesh.Errors;
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

namespace AgentMesh.Mesh.Arrays.Entity;

/// <summary>What an array needs of the device it lives on.</summary>
/// <param name="Jobs">The jobs of this home.</param>
/// <param name="DevicesFor">Those on which elements may run, online or not.</param>
/// <param name="RestAfter">So long an array that is over stays in memory.</param>
public sealed record ArrayEnvironment(DeviceId Self, IActorRef Jobs, Func<ArrayTargets, IReadOnlyList<ArrayDevice>> DevicesFor, TimeProvider Time, TimeSpan RestAfter)
{
    /// <summary>Null for the default journal of the actor system.</summary>
    public HomeJournal? Journal { get; init; }

    /// <summary>Whether a device speaks for this home; null where only its own device does.</summary>
    public Func<DeviceId, bool>? IsHome { get; init; }

    /// <summary>Sends what is told of an array to its URL.</summary>
    public DeliverParcel Deliver { get; init; } = DeliveryAnswer.NothingIsSent;
}

/// <summary>
/// One array of jobs at its home. That an element goes to a device is journalled, with the id of its job, before the job is submitted; whatever is repeated
/// after a crash reaches the same job.
/// </summary>
public sealed class ArrayEntity : TellingEntity<IArrayEvent>
{
    private const int EventsOfSnapshot = 200;

    /// <summary>A snapshot holds every element: the more there are, the more events it stands for.</summary>
    private const int ElementsOfEvent = 10;

    private static readonly TimeSpan AwaitFor = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    private readonly ArrayEnvironment _environment;
    private readonly JobWatch _watch;
    private readonly Dictionary<int, ElementEnd> _over = [];
    private ArrayState _array;
    private Caller? _cancelledBy;

    public ArrayEntity(ArrayId id, ArrayEnvironment environment)
        : base(id.ToString(), environment.Self, environment.Time, EventsOfSnapshot, environment.Deliver, environment.Journal, environment.IsHome)
    {
        _environment = environment;
        _watch = new JobWatch(environment.Jobs, environment.Time, AwaitFor);
        _array = ArrayState.None(id);
        Recover<SnapshotOffer>(offer => _array = ((ArraySnapshot)offer.Snapshot).ToState(id));
        Recover<RecoveryCompleted>(_ => OnRecovered());
        Command<SubmitArray>(request => Owned(() => OnSubmit(request)));
        Command<GetArray>(_ => Known(() => Sender.Tell(View())));
        Command<WakeArray>(_ => Known(OnWake));
        Command<GetElements>(question => Known(() => Sender.Tell(ArrayRules.Elements(_array, question with { Limit = Math.Clamp(question.Limit, 1, ArrayElements.Max) }))));
        Command<CancelArray>(request => Known(() => OnCancel(request)));
        Command<RetryArray>(request => Known(() => OnRetry(request)));
        FromJobs<JobAccepted>(accepted => OnFound(accepted.JobId), _watch.AskSoon);
        FromJobs<JobProblem>(OnJobProblem, _watch.AskSoon);
        FromJobs<JobView>(OnJobView, _watch.AskSoon);
        Command<ArrayRemoved>(_ => Leave());
        Command<ReceiveTimeout>(_ => Context.Parent.Tell(new Passivate(PoisonPill.Instance)));
    }

    public static Props Create(ArrayId id, ArrayEnvironment environment) => Props.Create(() => new ArrayEntity(id, environment));

    protected override string Kind => "an array";

    protected override object? Missing => _array.Exists ? null
        : LastSequenceNr > 0 ? Refusal(MeshErrors.Removed, RemovedProblem.Text($"array {_array.ArrayId}"), RemovedProblem.NextStep)
        : Refusal(MeshErrors.UnknownArray, $"there is no array {_array.ArrayId}", "'agentmesh job list' shows those of this device");

    protected override void Apply(IArrayEvent change)
    {
        _array = _array.Apply(change);
        if (change is ArrayCancelRequestedEvent cancel)
        {
            _cancelledBy = cancel.By;
        }
    }

    protected override object Snapshot() => ArraySnapshot.Of(_array);

    protected override object NotStored(string why) =>
        Refusal(MeshErrors.NotStored, $"the journal of this device did not take it: {why}", "look at the log of the node; 'agentmesh job list' tells whether it was taken after all");

    protected override TimeSpan? UntilParcel() => ArrayDeliveryRules.UntilNext(_array, Now);

    protected override Parcel? ReadyParcel() => ArrayDeliveryRules.Ready(_array, Now);

    protected override bool RecordTold(string deliveryId, DeliveryAnswer answer)
    {
        if (ArrayDeliveryRules.Ended(_array, deliveryId, answer, Now) is not { } told)
        {
            return false;
        }

        Record(told, null, null);
        return true;
    }

    private void OnRecovered()
    {
        SetSnapshots();
        LookAtOnce();
    }

    private void SetSnapshots() => SnapshotEvery = EventsOfSnapshot + (_array.Count / ElementsOfEvent);

    private void OnSubmit(SubmitArray request)
    {
        IActorRef asker = Sender;
        if (_array.Exists)
        {
            bool isSame = _array.Spec!.Job.Command.Equals(request.Spec.Job.Command) && _array.Spec.Items == request.Spec.Items && _array.Spec.Targets == request.Spec.Targets;
            asker.Tell(isSame
                ? new ArrayAccepted(_array.ArrayId, Repeated: true)
                : Refusal(MeshErrors.KeyReused, $"the idempotency key '{request.Spec.Job.IdempotencyKey}' belongs to another array: {_array.Spec.Job.Command}", "use another key, or none"));
            return;
        }

        try
        {
            ArrayRules.Check(request.Spec);
        }
        catch (MeshException wrong)
        {
            asker.Tell(Refusal(wrong.Code, wrong.Message, wrong.NextStep));
            return;
        }

        Record(new ArrayAcceptedEvent(Now, request.Spec), asker, () =>
        {
            SetSnapshots();
            asker.Tell(new ArrayAccepted(_array.ArrayId, Repeated: false));
        });
    }

    private void OnWake()
    {
        Sender.Tell(View());
        LookAtOnce();
    }

    private void OnCancel(CancelArray request)
    {
        IActorRef asker = Sender;
        if (_array.EndedAt is not null && _array.CancelRequestedAt is null)
        {
            asker.Tell(Refusal(MeshErrors.NotInThisState, "the array is over: there is nothing to cancel", "'agentmesh job show' tells its results"));
        }
        else if (_array.CancelRequestedAt is not null)
        {
            asker.Tell(View());
        }
        else
        {
            Record(new ArrayCancelRequestedEvent(Now, request.By), asker, () => asker.Tell(View()));
        }
    }

    private void OnRetry(RetryArray request)
    {
        IActorRef asker = Sender;
        if (_array.EndedAt is null || _array.Completed == _array.Count)
        {
            string what = _array.EndedAt is null ? "the array is not over" : "every element completed";
            asker.Tell(Refusal(MeshErrors.NotInThisState, $"{what}; only one that failed or was cancelled begins again", "'agentmesh job show' tells what it does"));
        }
        else
        {
            Record(new ArrayRetriedEvent(Now, request.By), asker, () => asker.Tell(View()));
        }
    }

    private void OnFound(JobId job) => _watch.Found(job, Self);

    private void OnJobProblem(JobProblem problem)
    {
        if (_watch.Take(problem, OnFound) is { } unexpected)
        {
            Log.Warning("The job of an element of [{0}] is asked for again soon: {1}", PersistenceId, unexpected);
        }
    }

    private void OnJobView(JobView view)
    {
        if (_array.Running.Values.FirstOrDefault(each => each.JobId == view.JobId) is not { } run)
        {
            _watch.Forget(view.JobId);
        }
        else if (!view.State.IsAtRest())
        {
            _watch.Waits(view.JobId);
            if (ArrayRules.IsToMove(_array, run, view.State, Devices()))
            {
                Record(new ElementMovingEvent(Now, run.Index), null, null);
            }
        }
        else if (run.IsMoving && view.State == JobStateName.Cancelled && _array.CancelRequestedAt is null)
        {
            Record(new ElementReleasedEvent(Now, run.Index), null, () => _watch.Forget(view.JobId));
        }
        else if (_over.TryAdd(run.Index, ArrayRules.End(run, view, Now)) && _over.Count == 1)
        {
            // Behind what else came to rest meanwhile: one event for all of them.
            LookAtOnce();
        }
    }

    protected override void OnLook()
    {
        if (_over.Count > 0)
        {
            ElementEnd[] over = [.. _over.Values.OrderBy(end => end.Run.Index)];
            _over.Clear();
            Record(new ElementsEndedEvent(Now, [.. over]), null, () => Array.ForEach(over, end => _watch.Forget(end.Run.JobId)));
        }
        else if (_array.Exists && ArrayRules.Next(_array, Devices(), Now) is { } change)
        {
            Record(change, null, null);
        }
        else
        {
            Settle();
        }
    }

    private void Record(IArrayEvent change, IActorRef? asker, Action? then) => Record(ArrayDeliveryRules.Marked(_array, change, NextNumber), asker, _ =>
    {
        then?.Invoke();
        Settle();
        LookAtOnce();
    });

    /// <summary>Asks about the elements that run, then looks again in time, or rests.</summary>
    private void Settle()
    {
        TimeSpan? question = _watch.Ask(_array.Running.Values.Select(Watched), Self);
        if (!_array.Exists || _array.EndedAt is not null)
        {
            if (SendParcel() is { } wait)
            {
                Context.SetReceiveTimeout(null);
                LookAgain(wait);
                return;
            }

            StopLooking();
            Context.SetReceiveTimeout(_environment.RestAfter);
            return;
        }

        Context.SetReceiveTimeout(null);

        // Whether a device came is not foreseen.
        LookAgain(question < LookEvery ? question.Value : LookEvery);
    }

    private WatchedJob Watched(ElementRun run) => new(
        run.JobId,
        () => ArrayRules.Submission(_array, run),
        run.IsMoving || _array.CancelRequestedAt is not null ? new CancelJob(run.JobId, _cancelledBy ?? _array.Spec!.Job.Caller) : null);

    private IReadOnlyList<ArrayDevice> Devices() => _environment.DevicesFor(_array.Spec!.Targets);

    private ArrayView View() => ArrayRules.View(_array, Devices());

    protected override ArrayProblem Refusal(string code, string text, string? next) => new(_array.ArrayId, new Problem(code, text, next));
}
