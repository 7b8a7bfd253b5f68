using System.Collections.Immutable;
using AgentMesh.Errors;
using AgentMesh.Mesh.Webhooks;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Jobs.Entity;
using AgentMesh.Mesh.Sharding;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Event;
using Akka.Persistence;

namespace AgentMesh.Mesh.Cron.Entity;

/// <summary>
/// One schedule at its home. A fire is journalled with the id of its job before the job is submitted; the id follows from the schedule and the nominal
/// time, so that whatever is repeated after a crash reaches the same job.
/// </summary>
public sealed class CronEntity : HomeEntity<ICronEvent>
{
    private const int EventsOfSnapshot = 100;

    private static readonly TimeSpan AwaitFor = TimeSpan.FromMinutes(1);

    private readonly CronEnvironment _environment;
    private readonly JobWatch _watch;
    private readonly Courier _courier;
    private readonly Dictionary<JobId, IActorRef> _askers = [];
    private CronState _cron;

    public CronEntity(CronId id, CronEnvironment environment)
        : base(id.ToString(), environment.Self, environment.Time, EventsOfSnapshot, environment.Journal, environment.IsHome)
    {
        _environment = environment;
        _watch = new JobWatch(environment.Jobs, environment.Time, AwaitFor);
        _courier = new Courier(environment.Deliver);
        _cron = CronState.None(id);
        Recover<SnapshotOffer>(offer => _cron = ((CronSnapshot)offer.Snapshot).ToState(id));
        Recover<RecoveryCompleted>(_ => LookAtOnce());
        Command<CreateCron>(request => Owned(() => OnCreate(request)));
        Command<GetCron>(_ => Known(() => Sender.Tell(View())));
        Command<WakeCron>(_ => Known(OnWake));
        Command<EnableCron>(request => Known(() => OnEnable(request)));
        Command<RunCron>(request => Known(() => OnRun(request)));
        Command<BackfillCron>(request => Known(() => OnBackfill(request)));
        Command<RemoveCron>(_ => Known(OnRemove));
        FromJobs<JobAccepted>(accepted => OnFound(accepted.JobId), AskSoon);
        FromJobs<JobProblem>(OnJobProblem, AskSoon);
        FromJobs<JobView>(OnJobView, AskSoon);
        Command<Courier.Back>(OnDelivered);
        Command<ReceiveTimeout>(_ => Context.Parent.Tell(new Passivate(PoisonPill.Instance)));
    }

    public static Props Create(CronId id, CronEnvironment environment) => Props.Create(() => new CronEntity(id, environment));

    protected override string Kind => "a schedule";

    protected override object? Missing => _cron.Exists ? null : Refusal(MeshErrors.UnknownCron, $"there is no schedule '{_cron.CronId.Name}'", "'agentmesh cron list' shows those of this device");

    protected override void Apply(ICronEvent change) => _cron = _cron.Apply(change);

    protected override object Snapshot() => CronSnapshot.Of(_cron);

    protected override object NotStored(string why) =>
        Refusal(MeshErrors.NotStored, $"the journal of this device did not take it: {why}", "look at the log of the node; 'agentmesh cron list' tells whether it was taken after all");

    protected override void AfterRejection() => LookAgain(TimeSpan.FromSeconds(1));

    private void OnCreate(CreateCron request)
    {
        IActorRef asker = Sender;
        try
        {
            CronRules.Check(request.Spec);
        }
        catch (MeshException wrong)
        {
            asker.Tell(Refusal(wrong.Code, wrong.Message, wrong.NextStep));
            return;
        }

        if (_cron.Exists && _cron.Spec == request.Spec)
        {
            asker.Tell(View());
        }
        else if (_cron.Exists && !request.Replace)
        {
            asker.Tell(Refusal(MeshErrors.CronExists, $"there is another schedule '{_cron.CronId.Name}': {_cron.Spec!.Schedule}", "choose another name, or change it with --replace"));
        }
        else
        {
            Record(_cron.Exists ? new CronUpdatedEvent(Now, request.Spec, _environment.Life) : new CronCreatedEvent(Now, request.Spec, _environment.Life), asker, () => asker.Tell(View()));
        }
    }

    private void OnWake()
    {
        Sender.Tell(View());
        LookAtOnce();
    }

    private void OnEnable(EnableCron request)
    {
        IActorRef asker = Sender;
        if (_cron.IsEnabled == request.Enabled)
        {
            asker.Tell(View());
        }
        else
        {
            Record(request.Enabled ? new CronEnabledEvent(Now, _environment.Life) : new CronDisabledEvent(Now, null), asker, () => asker.Tell(View()));
        }
    }

    private void OnRun(RunCron request)
    {
        IActorRef asker = Sender;
        CronFiredEvent fire = CronRules.Manual(_cron, request.Key, Now, _environment.Life);
        fire = _cron.Runs.Exists(run => run.JobId == fire.JobId) ? fire : CronRules.For(_cron, fire, _environment.Choose);
        if (_cron.Runs.Find(run => run.JobId == fire.JobId) is { } known)
        {
            // A repeat, because the first answer was late.
            if (known.IsOver || _watch.IsThere(known.JobId))
            {
                asker.Tell(new CronStarted(_cron.CronId, known.JobId));
            }
            else
            {
                _askers[known.JobId] = asker;
            }
        }
        else if (_cron.Running.Count() >= CronRules.RunningMax)
        {
            asker.Tell(Refusal(MeshErrors.Busy, $"{CronRules.RunningMax} runs of '{_cron.CronId.Name}' are not over", "'agentmesh cron show' names their jobs; cancel some, or wait"));
        }
        else if (fire.Targets is { Count: 0 })
        {
            asker.Tell(Refusal(MeshErrors.NobodyOnline, $"no device fits {_cron.Spec!.Targets!.Devices.Selector}", "'agentmesh peers' shows the devices and their labels"));
        }
        else
        {
            _askers[fire.JobId] = asker;
            Record(fire, asker, null);
        }
    }

    private void OnBackfill(BackfillCron request)
    {
        IActorRef asker = Sender;
        try
        {
            ImmutableArray<DateTimeOffset> times = CronBackfill.Times(_cron.Spec!, request.From, request.To, Now);
            var answer = new CronBackfillView(_cron.CronId, times, request.IsDryRun);
            if (request.IsDryRun || times.IsEmpty)
            {
                asker.Tell(answer);
            }
            else if (!_cron.IsEnabled || _cron.Backfill is not null)
            {
                string what = _cron.IsEnabled ? $"{_cron.Backfill!.Left} times of an earlier backfill are left" : $"'{_cron.CronId.Name}' is disabled";
                asker.Tell(Refusal(MeshErrors.NotInThisState, what, _cron.IsEnabled ? $"'agentmesh cron show {_cron.CronId.Name}' tells when they are over" : $"'agentmesh cron enable {_cron.CronId.Name}' first"));
            }
            else
            {
                Record(new CronBackfillEvent(Now, new CronBackfill(times[0].AddSeconds(-1), times[^1], times.Length)), asker, () => asker.Tell(answer));
            }
        }
        catch (MeshException wrong)
        {
            asker.Tell(Refusal(wrong.Code, wrong.Message, wrong.NextStep));
        }
    }

    private void OnRemove()
    {
        IActorRef asker = Sender;
        JobId[] running = [.. _cron.Running.Select(run => run.JobId)];
        Record(new CronRemovedEvent(Now), asker, () =>
        {
            Array.ForEach(running, _watch.Forget);
            _askers.Clear();
            asker.Tell(new CronRemoved(_cron.CronId));
        });
    }

    private void OnFound(JobId job)
    {
        _watch.Found(job, Self);
        if (_askers.Remove(job, out IActorRef? asker))
        {
            asker.Tell(new CronStarted(_cron.CronId, job));
        }

        LookAgain(TimeSpan.Zero);
    }

    private void OnJobProblem(JobProblem problem)
    {
        if (_watch.Take(problem, OnFound) is { } unexpected)
        {
            Log.Warning("The job of [{0}] is asked for again soon: {1}", PersistenceId, unexpected);
            LookAgain(TimeSpan.Zero);
        }
    }

    private void AskSoon(JobId job)
    {
        _watch.AskSoon(job);
        LookAgain(TimeSpan.Zero);
    }

    private void OnJobView(JobView view)
    {
        if (!view.State.IsAtRest())
        {
            _watch.Waits(view.JobId);
            LookAgain(TimeSpan.Zero);
        }
        else if (_cron.Running.Any(run => run.JobId == view.JobId))
        {
            Record(new CronRunEndedEvent(Now, view.JobId, view.State) { Report = CronDeliveryRules.ReportOf(_cron.Spec!, view, Now) }, null, null);
        }
    }

    private void OnDelivered(Courier.Back back)
    {
        _courier.Returned();
        if (CronDeliveryRules.Ended(_cron, back.JobId, back.Answer, Now) is { } change)
        {
            Record(change, null, null);
        }
        else
        {
            LookAgain(TimeSpan.Zero);
        }
    }

    protected override void PostStop()
    {
        _courier.Stop();
        base.PostStop();
    }

    protected override void OnLook()
    {
        if (CronDeliveryRules.Next(_cron, Now) is { } given)
        {
            Record(given, null, null);
        }
        else if (CronRules.Next(_cron, Now, _environment.Life) is { } change)
        {
            Record(change is CronFiredEvent fire ? CronRules.For(_cron, fire, _environment.Choose) : change, null, null);
        }
        else
        {
            Settle();
        }
    }

    private void Record(ICronEvent change, IActorRef? asker, Action? then)
    {
        Record(change, asker, stored =>
        {
            _environment.Happened(_cron.CronId, stored);
            if (stored is CronRunEndedEvent over)
            {
                _watch.Forget(over.JobId);
            }

            then?.Invoke();
            Settle();
            LookAtOnce();
        });
    }

    /// <summary>Asks about the runs that are not over, tells of those that are, then looks again in time, or rests.</summary>
    private void Settle()
    {
        TimeSpan? question = _watch.Ask(Watched(), Self);
        if (!_courier.IsOut && CronDeliveryRules.Ready(_cron, Now) is { } parcel)
        {
            _courier.Send(parcel, Self);
        }

        TimeSpan? delivery = _courier.IsOut ? TimeSpan.MaxValue : CronDeliveryRules.UntilNext(_cron, Now);
        question = question < delivery || delivery is null ? question : delivery;
        if (question is null && !(_cron.Exists && _cron.IsEnabled))
        {
            StopLooking();
            Context.SetReceiveTimeout(_environment.RestAfter);
            return;
        }

        Context.SetReceiveTimeout(null);
        TimeSpan look = CronRules.UntilNextLook(_cron, Now);
        LookAgain(question < look ? question.Value : look);
    }

    private IEnumerable<WatchedJob> Watched()
    {
        bool cancel = _cron is { Buffered: not null, Spec.Overlap: CronOverlap.Cancel };
        return _cron.Running.Select(run => new WatchedJob(run.JobId, () => CronRules.Submission(_cron, run), cancel ? new CancelJob(run.JobId, _cron.Spec!.Job.Caller) : null));
    }

    private CronView View() => CronRules.View(_cron, Now);

    protected override CronProblem Refusal(string code, string text, string? next) => new(_cron.CronId, new Problem(code, text, next));
}
