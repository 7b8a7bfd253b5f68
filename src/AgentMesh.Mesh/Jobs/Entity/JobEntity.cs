using AgentMesh.Errors;
using AgentMesh.Protocol.Identity;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Event;
using Akka.Persistence;

namespace AgentMesh.Mesh.Jobs.Entity;

/// <summary>
/// One job at its home. What is decided is journalled before anybody is told; what is told is repeated until it is answered. See
/// <see cref="JobStateName"/> for its life.
/// </summary>
public sealed class JobEntity : ReceivePersistentActor, IWithTimers
{
    private const int WaitersMax = 1_000;
    private const int SnapshotEvery = 100;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RepeatMin = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan RepeatMax = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan HeartbeatEveryMax = TimeSpan.FromSeconds(5);

    private readonly JobEnvironment _environment;
    private readonly List<(IActorRef Asker, DateTimeOffset Deadline)> _waiters = [];
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private JobState _job;
    private DateTimeOffset _repeatAt;
    private TimeSpan _repeatAfter = RepeatMin;

    public JobEntity(JobId id, JobEnvironment environment)
    {
        _environment = environment;
        _job = JobState.None(id);
        PersistenceId = id.ToString();
        Recover<IJobEvent>(change => _job = _job.Apply(change));
        Recover<SnapshotOffer>(offer => _job = ((JobSnapshot)offer.Snapshot).ToState(id));
        Recover<RecoveryCompleted>(_ => OnRecovered());
        Command<SubmitJob>(OnSubmit);
        Command<GetJob>(_ => Answer(() => Sender.Tell(View())));
        Command<WakeJob>(_ => Answer(() => Sender.Tell(View())));
        Command<AwaitJob>(OnAwait);
        Command<CancelJob>(OnCancel);
        Command<RetryJob>(OnRetry);
        Command<AttemptStarted>(started => OnHeard(started.Attempt));
        Command<AttemptHeartbeat>(heartbeat => OnHeard(heartbeat.Attempt));
        Command<AttemptEnded>(OnEnded);
        Command<AttemptUnknown>(OnUnknown);
        Command<Look>(_ => OnLook());
        Command<ReceiveTimeout>(_ => Context.Parent.Tell(new Passivate(PoisonPill.Instance)));
        Command<SaveSnapshotSuccess>(saved => DeleteMessages(saved.Metadata.SequenceNr));
        Command<SaveSnapshotFailure>(failed => _log.Warning("The snapshot of [{0}] was not saved: {1}", PersistenceId, failed.Cause.Message));
        Command<DeleteMessagesSuccess>(_ => { });
        Command<DeleteMessagesFailure>(_ => { });
    }

    public override string PersistenceId { get; }

    public ITimerScheduler Timers { get; set; } = null!;

    private DateTimeOffset Now => _environment.Time.GetUtcNow();

    public static Props Create(JobId id, JobEnvironment environment) => Props.Create(() => new JobEntity(id, environment));

    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr)
    {
        _log.Error(cause, "An event of [{0}] could not be journalled", PersistenceId);
        Sender.Tell(new JobProblem(_job.JobId, Refused(MeshErrors.NotStored, $"the job could not be written to disk: {cause.Message}", "free space on the device that accepts the job, then submit it again")));
        base.OnPersistFailure(cause, @event, sequenceNr);
    }

    private void OnRecovered()
    {
        _job = _job.Recovered(Now);
        Settle();
    }

    private void OnSubmit(SubmitJob submit)
    {
        IActorRef asker = Sender;
        if (!IsOwn(asker))
        {
            asker.Tell(new JobProblem(_job.JobId, Refused(MeshErrors.NotYours, "a job is accepted by the device of its caller only", "submit it to the node of this device")));
            return;
        }

        if (_job.Exists)
        {
            asker.Tell(_job.Spec!.Command.Equals(submit.Spec.Command) && _job.Spec.Target.Device == submit.Spec.Target.Device
                ? new JobAccepted(_job.JobId, Repeated: true)
                : new JobProblem(_job.JobId, Refused(MeshErrors.KeyReused, $"the idempotency key '{submit.Spec.IdempotencyKey}' belongs to another command: {_job.Spec.Command}", "use another key, or none")));
            return;
        }

        long? life = _environment.LifeOf(submit.Spec.Target.Device);
        if (life is null && !submit.Spec.QueueWhenOffline)
        {
            asker.Tell(new JobProblem(_job.JobId, Refused(MeshErrors.PeerOffline, $"{submit.Spec.Target.Name} is not there", "'agentmesh peers' shows who is; --queue accepts the job and starts it when the device is back")));
            Context.Parent.Tell(new Passivate(PoisonPill.Instance));
            return;
        }

        Record(JobRules.Accept(submit.Spec, life, Now), () => asker.Tell(new JobAccepted(_job.JobId, Repeated: false)));
    }

    private void OnAwait(AwaitJob request) => Answer(() =>
    {
        if (_job.IsAtRest || request.Deadline <= Now || _waiters.Count >= WaitersMax)
        {
            Sender.Tell(View());
            return;
        }

        _waiters.Add((Sender, request.Deadline));
    });

    private void OnCancel(CancelJob request) => Answer(() =>
    {
        IActorRef asker = Sender;
        if (!IsOwn(asker))
        {
            asker.Tell(new JobProblem(_job.JobId, Refused(MeshErrors.NotYours, "only the device that submitted a job cancels it", null)));
        }
        else if (_job.Name is JobStateName.Queued or JobStateName.Retrying or JobStateName.Paused)
        {
            Record(new CancelledEvent(Now, _job.Attempt, null, null), () => asker.Tell(View()));
        }
        else if (_job.Name.HasAttempt() && _job.CancelRequestedAt is null)
        {
            Record(new CancelRequestedEvent(Now, request.By), () => asker.Tell(View()));
        }
        else
        {
            asker.Tell(View());
        }
    });

    private void OnRetry(RetryJob request) => Answer(() =>
    {
        IActorRef asker = Sender;
        if (!IsOwn(asker))
        {
            asker.Tell(new JobProblem(_job.JobId, Refused(MeshErrors.NotYours, "only the device that submitted a job retries it", null)));
        }
        else if (_job.Name is JobStateName.Paused or JobStateName.Failed or JobStateName.Cancelled)
        {
            Record(new RetriedEvent(Now, request.By), () => asker.Tell(View()));
        }
        else
        {
            asker.Tell(new JobProblem(_job.JobId, Refused(MeshErrors.NotInThisState, $"the job is {_job.Name.ToString().ToLowerInvariant()}; only a paused, failed or cancelled one begins again", "'agentmesh job show' tells what it does")));
        }
    });

    private void OnHeard(int attempt)
    {
        if (!_job.Exists || !_job.Name.HasAttempt() || attempt != _job.Attempt)
        {
            // An attempt that nobody wants any more.
            Sender.Tell(new CancelAttempt(_job.JobId, attempt));
            return;
        }

        _job = _job.Heard(Now);
        if (_job.CancelRequestedAt is not null)
        {
            Sender.Tell(new CancelAttempt(_job.JobId, attempt));
        }
    }

    private void OnEnded(AttemptEnded ended)
    {
        IActorRef worker = Sender;
        if (!_job.Exists || !_job.Name.HasAttempt() || ended.Attempt != _job.Attempt)
        {
            bool wasRecorded = _job.Exists && _job.IsAtRest && ended.Attempt == _job.Attempt;
            worker.Tell(new AttemptEndedAck(_job.JobId, ended.Attempt, wasRecorded));
            return;
        }

        Record(JobRules.AfterAttempt(_job, ended.Result, Now, _environment.Random()), () => worker.Tell(new AttemptEndedAck(_job.JobId, ended.Attempt, Recorded: true)));
    }

    private void OnUnknown(AttemptUnknown unknown)
    {
        if (!_job.Exists || !_job.Name.HasAttempt() || unknown.Attempt != _job.Attempt)
        {
            return;
        }

        var lost = new AttemptResult(AttemptOutcome.Lost, Problem: new Problem(MeshErrors.AttemptLost, $"{_job.Spec!.Target.Name} knows nothing of attempt {unknown.Attempt}: its node was restarted", "nothing needs to be done: it is tried again"));
        Record(JobRules.AfterAttempt(_job, lost, Now, _environment.Random()), static () => { });
    }

    private void OnLook()
    {
        foreach ((IActorRef asker, _) in _waiters.Where(waiter => waiter.Deadline <= Now).ToArray())
        {
            asker.Tell(View());
        }

        _waiters.RemoveAll(waiter => waiter.Deadline <= Now);
        if (!_job.Exists || _job.IsAtRest)
        {
            Settle();
            return;
        }

        if (_job.Name.HasAttempt() && _job.CancelRequestedAt is null && _job.Spec!.Timeouts.Total is { } total && Now - _job.AcceptedAt >= total)
        {
            Record(new FailedEvent(Now, _job.Attempt, null, JobRules.TotalTimeout(total)), () => Workers().Tell(new CancelAttempt(_job.JobId, _job.Attempt), Self));
            return;
        }

        if (JobRules.AfterTime(_job, _environment.LifeOf(_job.Spec!.Target.Device), Now, _environment.Random()) is { } change)
        {
            Record(change, static () => { });
        }
        else if (Now >= _repeatAt)
        {
            TellWorkers();
        }
    }

    /// <summary>Journals, then applies, then tells.</summary>
    private void Record(IJobEvent change, Action then) => Persist(change, stored =>
    {
        _job = _job.Apply(stored);
        if (LastSequenceNr % SnapshotEvery == 0)
        {
            SaveSnapshot(JobSnapshot.Of(_job));
        }

        then();
        Settle();
        if (_job.Name.HasAttempt())
        {
            _repeatAfter = RepeatMin;
            TellWorkers();
        }
    });

    /// <summary>What follows from the present state: tell who waits, look again, or rest.</summary>
    private void Settle()
    {
        if (_job.IsAtRest)
        {
            foreach ((IActorRef asker, _) in _waiters)
            {
                asker.Tell(View());
            }

            _waiters.Clear();
        }

        if (!_job.Exists || _job.IsAtRest)
        {
            Timers.Cancel(Look.Instance);
            Context.SetReceiveTimeout(_environment.RestAfter);
            return;
        }

        Context.SetReceiveTimeout(null);
        if (!Timers.IsTimerActive(Look.Instance))
        {
            Timers.StartPeriodicTimer(Look.Instance, Look.Instance, LookEvery);
        }
    }

    private void TellWorkers()
    {
        _repeatAt = Now + _repeatAfter;
        _repeatAfter = _repeatAfter + _repeatAfter < RepeatMax ? _repeatAfter + _repeatAfter : RepeatMax;
        if (_job.CancelRequestedAt is not null)
        {
            Workers().Tell(new CancelAttempt(_job.JobId, _job.Attempt), Self);
        }
        else if (_job.Name == JobStateName.Placing)
        {
            JobSpec spec = _job.Spec!;
            TimeSpan third = spec.Timeouts.Heartbeat / 3;
            var order = new RunAttempt(_job.JobId, _job.Attempt, _job.Placement!.Incarnation, spec.Command, spec.Caller, spec.Timeouts.Attempt, third < HeartbeatEveryMax ? third : HeartbeatEveryMax);
            Workers().Tell(order, Self);
        }
    }

    private ICanTell Workers() => _environment.WorkersOf(Context, _job.Placement!.Device);

    private void Answer(Action known)
    {
        if (_job.Exists)
        {
            known();
            return;
        }

        Sender.Tell(new JobProblem(_job.JobId, Refused(MeshErrors.UnknownJob, $"there is no job {_job.JobId}", "'agentmesh job list' shows the jobs of this device")));
        Context.SetReceiveTimeout(_environment.RestAfter);
    }

    private JobView View() => _job.ToView(_job.Name switch
    {
        JobStateName.Queued => $"{_job.Spec!.Target.Name} is not there",
        JobStateName.Retrying => $"the next attempt begins at {_job.NextAttemptAt:u}",
        _ => null,
    });

    private static Problem Refused(string code, string text, string? next) => new(code, text, next);

    /// <summary>Messages of the own device have local references; those of others carry the device they came from.</summary>
    private bool IsOwn(IActorRef asker) => asker.Path.Address.HasLocalScope || asker.Path.Address.Host == _environment.Self.ToString();

    private sealed class Look : INoSerializationVerificationNeeded
    {
        public static readonly Look Instance = new();
    }
}
