using AgentMesh.Mesh.Groups;
using AgentMesh.Mesh.Jobs.Doors;
using AgentMesh.Mesh.Retention;
using AgentMesh.Mesh.Sharding;
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
public sealed class JobEntity : JournalledEntity<IJobEvent>, IWithTimers
{
    private const int EventsOfSnapshot = 100;

    private static readonly Task<IReadOnlySet<string>> NoArtifacts = Task.FromResult<IReadOnlySet<string>>(new HashSet<string>());

    private readonly JobEnvironment _environment;
    private readonly JobReplies _replies;
    private readonly AttemptPlace _place;
    private readonly JobWaiters _waiters;
    private readonly DependencyWatch _dependencies;
    private readonly JobTurn _turn;
    private readonly JobDoor _door;
    private readonly LookTimes _times;
    private readonly ClockWatch _clock;
    private JobState _job;
    private bool _asksForArtifacts;

    public JobEntity(JobId id, JobEnvironment environment)
        : base(id.ToString(), environment.Time, EventsOfSnapshot, environment.Journal)
    {
        _environment = environment;
        _job = JobState.None(id);
        _replies = new JobReplies(environment);
        _place = new AttemptPlace(environment.LifeOf);
        _waiters = new JobWaiters(environment.Time);
        _dependencies = new DependencyWatch(environment.Time);
        _turn = new JobTurn(environment.Time);
        _door = new JobDoor(environment.Door?.Invoke());
        _times = new LookTimes(environment.Time);
        _clock = new ClockWatch(environment.Time);
        Recover<SnapshotOffer>(offer => _job = ((JobSnapshot)offer.Snapshot).ToState(id));
        Recover<RecoveryCompleted>(_ => OnRecovered());

        // One for all: a handler for each message would be most of what a job that waits takes.
        Command<object>(OnMessage);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Create(JobId id, JobEnvironment environment) => Props.Create(() => new JobEntity(id, environment));

    protected override void Apply(IJobEvent change) => _job = _job.Apply(change);

    protected override object Snapshot() => JobSnapshot.Of(_job);

    protected override object NotStored(string why) => JobReplies.NotStored(_job, why);

    protected override void AfterRejection() => Settle();

    /// <summary>Whatever comes, the clock is looked at first.</summary>
    /// <returns>Whether it is a message of jobs.</returns>
    private bool OnMessage(object message)
    {
        if (_clock.Jump() is var jump && jump != TimeSpan.Zero && _job.Exists)
        {
            _job = _job.Shifted(jump);
        }

        switch (message)
        {
            case Look:
                _times.Looks();
                OnLook();
                break;
            case MayBegin:
                OnCalled();
                break;
            case SubmitJob submit:
                OnSubmit(submit);
                break;
            case GetJob or WakeJob:
                Read(() => Sender.Tell(View()));
                break;
            case AwaitJob request:
                Read(() => OnAwait(request));
                break;
            case CancelJob request:
                Change(() => OnCancel(request));
                break;
            case RetryJob request:
                Change(() => OnRetry(request));
                break;
            case JobView view:
                OnDependency(view);
                break;
            case JobProblem problem:
                OnDependencyProblem(problem);
                break;
            case TurnAnswer answer:
                OnTurn(answer);
                break;
            case JobRemoved:
                OnRemoved();
                break;
            case ReceiveTimeout:
                Context.Parent.Tell(new Passivate(PoisonPill.Instance));
                break;
            default:
                return OnAttempt(message);
        }

        return true;
    }

    /// <summary>What the device tells that has the attempt.</summary>
    private bool OnAttempt(object message)
    {
        switch (message)
        {
            case AttemptStarted started:
                OnHeard(started.Attempt, started.Waiting);
                break;
            case AttemptHeartbeat heartbeat:
                OnHeard(heartbeat.Attempt, heartbeat.Waiting, heartbeat.Progress);
                break;
            case AttemptCheckpoint left:
                OnCheckpoint(left);
                break;
            case AttemptEnded ended:
                OnEnded(ended);
                break;
            case ArtifactsKnown known:
                OnArtifactsKnown(known);
                break;
            case AttemptUnknown unknown:
                OnUnknown(unknown);
                break;
            default:
                return false;
        }

        return true;
    }

    private void OnRecovered()
    {
        _job = _job.Recovered(Now);
        _place.Begins(_job);
        _times.Restart();
        Settle();
        LookAtOnce();
    }

    private void OnSubmit(SubmitJob submit)
    {
        long? life = _environment.LifeOf(submit.Spec.Target.Device);
        if (_replies.ToSubmission(_job, submit, IsFromHome(), life, Now) is { } answer)
        {
            Sender.Tell(answer);
        }
        else
        {
            IActorRef asker = Sender;
            Record(JobRules.Accept(submit.Spec, life, Now), asker, () => asker.Tell(new JobAccepted(_job.JobId, Repeated: false)));
        }
    }

    /// <summary>One that was begun anew in the meantime stays: its journal was not removed then.</summary>
    private void OnRemoved()
    {
        if (_job.IsAtRest)
        {
            Context.Parent.Tell(new Passivate(PoisonPill.Instance));
        }
    }

    private void OnAwait(AwaitJob request)
    {
        if (request.IsAnsweredBy(_job) || request.Deadline <= Now)
        {
            Sender.Tell(View());
        }
        else if (_waiters.TryAdd(Sender, request.Deadline - Now, request))
        {
            LookAgain();
        }
        else
        {
            Sender.Tell(JobReplies.TooManyWait(_job));
        }
    }

    private void OnCancel(CancelJob request)
    {
        IActorRef asker = Sender;
        switch (_job.Name)
        {
            case JobStateName.Queued or JobStateName.Retrying or JobStateName.Paused:
                Record(new CancelledEvent(Now, _job.Attempt, null, null), asker, () => asker.Tell(View()));
                break;
            case JobStateName.Placing or JobStateName.Running when _job.CancelRequestedAt is null:
                Record(new CancelRequestedEvent(Now, request.By), asker, () => asker.Tell(View()));
                break;
            case JobStateName.Completed or JobStateName.Failed:
                asker.Tell(JobReplies.NothingToCancel(_job));
                break;
            default:
                asker.Tell(View());
                break;
        }
    }

    private void OnRetry(RetryJob request)
    {
        IActorRef asker = Sender;
        if (_job.Name is JobStateName.Paused or JobStateName.Failed or JobStateName.Cancelled)
        {
            Record(new RetriedEvent(Now, request.By, request.FromStart), asker, () => asker.Tell(View()));
        }
        else
        {
            asker.Tell(JobReplies.NothingToRetry(_job));
        }
    }

    private void OnHeard(int attempt, string? waiting, Progress? progress = null)
    {
        if (!IsOut(attempt))
        {
            // Nobody wants it any more, whoever runs it.
            Sender.Tell(new CancelAttempt(_job.JobId, attempt));
        }
        else if (IsFromExecutor())
        {
            _job = _job.Heard(Now, waiting, progress);
            _door.LookAt(_job, Self);
            if (_job.CancelRequestedAt is not null)
            {
                Sender.Tell(new CancelAttempt(_job.JobId, attempt));
            }
        }
    }

    private void OnEnded(AttemptEnded ended)
    {
        IActorRef worker = Sender;
        if (!IsOut(ended.Attempt))
        {
            worker.Tell(new AttemptEndedAck(_job.JobId, ended.Attempt, JobRules.HasRecordedEnd(_job, ended.Attempt)));
        }
        else if (IsFromExecutor())
        {
            AttemptResult told = JobRules.Bounded(ended.Result);
            Task<IReadOnlySet<string>> taken = _job.Spec!.Artifacts.IsEmpty ? NoArtifacts : _environment.ArtifactsTaken(_job.JobId, ended.Attempt, told.Artifacts);
            if (taken.IsCompletedSuccessfully)
            {
                RecordEnd(ended.Attempt, told, taken.Result, worker);
            }
            else if (!_asksForArtifacts)
            {
                _asksForArtifacts = true;
                _ = taken.PipeTo(Self, worker, names => new ArtifactsKnown(ended.Attempt, told, names), _ => new ArtifactsKnown(ended.Attempt, told, null));
            }
        }
    }

    /// <summary>Where the store could not say it, the end is told again, and it is asked again.</summary>
    private void OnArtifactsKnown(ArtifactsKnown known)
    {
        _asksForArtifacts = false;
        if (known.Taken is not null && IsOut(known.Attempt))
        {
            RecordEnd(known.Attempt, known.Result, known.Taken, Sender);
        }
    }

    private void RecordEnd(int attempt, AttemptResult told, IReadOnlySet<string> taken, IActorRef worker)
    {
        IJobEvent change = JobRules.AfterAttempt(_job, JobRules.WithArtifacts(_job, told, taken), Now, _environment.Random());
        Record(change, null, () => worker.Tell(new AttemptEndedAck(_job.JobId, attempt, Recorded: true)));
    }

    private void OnCheckpoint(AttemptCheckpoint left)
    {
        OnHeard(left.Attempt, null);
        if (!IsOut(left.Attempt) || !IsFromExecutor())
        {
            return;
        }

        IActorRef worker = Sender;
        var kept = new CheckpointKept(_job.JobId, left.Attempt, left.Number);
        if (_job.Checkpoint?.Data == left.Data)
        {
            worker.Tell(kept);
        }
        else
        {
            Record(new CheckpointedEvent(Now, left.Attempt, left.Data), null, () => worker.Tell(kept));
        }
    }

    private void OnUnknown(AttemptUnknown unknown)
    {
        if (IsOut(unknown.Attempt) && IsFromExecutor())
        {
            Record(JobRules.AfterUnknown(_job, Now, _environment.Random()), null, null);
        }
    }

    /// <summary>How a job stands that this one waits for.</summary>
    private void OnDependency(JobView view)
    {
        if (_job.IsHeld && IsFromHome() && _job.Spec!.After.Any(dependency => dependency.JobId == view.JobId))
        {
            _dependencies.Heard(view);
            LookAtOnce();
        }
    }

    private void OnDependencyProblem(JobProblem problem)
    {
        if (problem.Problem.Code is MeshErrors.Removed or MeshErrors.UnknownJob && _job.IsHeld && IsFromHome())
        {
            _dependencies.HeardRemoved(problem.JobId);
            LookAtOnce();
        }
    }

    private void OnTurn(TurnAnswer answer)
    {
        if (IsFromHome())
        {
            _job = _turn.Take(answer, _job);
            LookAtOnce();
        }
    }

    /// <summary>Its device is there, and the job is to go to it; or it does not want to any more, and makes room.</summary>
    private void OnCalled()
    {
        _door.Called();
        if (_job.Exists && JobRules.WaitsForDevice(_job, Now))
        {
            OnLook();
        }
        else if (_job.Exists)
        {
            _door.LookAt(_job, Self);
        }
    }

    private void OnLook()
    {
        DateTimeOffset now = Now;
        _waiters.TellOverdue(View);
        LookForDevice(now);
        if (!_job.Exists || _job.IsAtRest)
        {
            Settle();
        }
        else if (JobRules.AfterTime(_job, _environment.LifeOf(_job.Spec!.Target.Device), now, _environment.Random(), _environment.AwayTimeout) is { } change && (change is not PlacedEvent || _door.LetsIn))
        {
            Record(change, null, null);
        }
        else if (_job.IsHeld && JobRules.AfterDependencies(_job, _dependencies.StateOf, now, _dependencies.IsRemoved) is { } settled)
        {
            Record(settled, null, _dependencies.Forget);
        }
        else
        {
            if (_job.IsHeld)
            {
                _dependencies.Ask(_job.Spec!, _environment.Jobs(), Self);
            }

            if (JobRules.WaitsForDevice(_job, now))
            {
                _door.Wait(_job, Self);
            }

            _turn.Ask(_job, _place.IsThere(_job), now, _environment.Groups(), Self);
            if (_times.IsTimeToRepeat())
            {
                TellWorkers();
            }

            LookAgain();
        }
    }

    /// <summary>A restarted node may have taken over the attempt of an earlier one, and a device that was away may have it still.</summary>
    private void LookForDevice(DateTimeOffset now)
    {
        if (_place.IsInDoubt(_job))
        {
            _job = _job.Doubted(now);
            _times.Restart();
        }
    }

    private void Record(IJobEvent change, IActorRef? asker, Action? then)
    {
        JobState before = _job;
        Record(change, asker, _ =>
        {
            _times.Restart();
            if (_job.Attempt != before.Attempt)
            {
                _place.Begins(_job);
            }

            then?.Invoke();
            _door.LookAt(_job, Self);
            Settle();
            if (_job.Name.HasAttempt())
            {
                _times.IsTimeToRepeat();
                TellWorkers();
            }
            else if (_job.Name == JobStateName.Queued)
            {
                LookAtOnce();
            }
            else if (before.Name.HasAttempt() && before.Exists && !JobRules.HasRecordedEnd(_job, before.Attempt))
            {
                // Given up: it may go on there without knowing. Should this be lost, its next heartbeat is answered the same way.
                WorkersOf(before).Tell(new CancelAttempt(_job.JobId, before.Attempt), Self);
            }
        });
    }

    /// <summary>What follows from the present state: tell who waits, look again, or rest.</summary>
    private void Settle()
    {
        if (_job.Exists && !_job.IsAtRest)
        {
            Context.SetReceiveTimeout(null);
            _waiters.TellFulfilled(_job, View);
            LookAgain();
            return;
        }

        _waiters.TellAll(View);
        Timers.Cancel(Look.Instance);
        _times.Looks();
        Context.SetReceiveTimeout(_environment.RestAfter);
    }

    private void LookAgain()
    {
        DateTimeOffset now = Now;
        if (_times.UntilNextLook(_door.IsWaiting, JobRules.NextChange(_job, now) - now, _waiters.UntilNextDeadline) is { } wait)
        {
            Timers.StartSingleTimer(Look.Instance, Look.Instance, wait);
        }
    }

    // Through the mailbox: an event is persisted from a message only.
    private void LookAtOnce()
    {
        if (_job.Exists && !_job.IsAtRest)
        {
            Self.Tell(Look.Instance);
        }
    }

    private void TellWorkers()
    {
        if (_job.CancelRequestedAt is not null)
        {
            WorkersOf(_job).Tell(new CancelAttempt(_job.JobId, _job.Attempt), Self);
        }
        else if (_job.Name == JobStateName.Placing)
        {
            WorkersOf(_job).Tell(JobRules.Order(_job), Self);
        }
    }

    private ICanTell WorkersOf(JobState job) => _environment.WorkersOf(Context, job.Placement!.Device);

    /// <summary>For the home and for the device that runs the job.</summary>
    private void Read(Action answer)
    {
        // Numbers without events: its journal was removed.
        if (JobReplies.ToReader(_job, LastSequenceNr > 0, () => IsFromHome() || IsFromExecutor()) is { } refusal)
        {
            Sender.Tell(refusal);
        }
        else
        {
            answer();
        }
    }

    /// <summary>For the home alone.</summary>
    private void Change(Action answer) => Read(() =>
    {
        if (IsFromHome())
        {
            answer();
        }
        else
        {
            Sender.Tell(JobReplies.OnlyItsHomeChangesIt(_job));
        }
    });

    private bool IsOut(int attempt) => _job.Exists && _job.Name.HasAttempt() && attempt == _job.Attempt;

    private bool IsFromExecutor() => IsFrom(_job.Spec!.Target.Device);

    private bool IsFrom(DeviceId device) => Origin.Of(Sender, Context.System, _environment.Self) == device;

    private bool IsFromHome() => Origin.Of(Sender, Context.System, _environment.Self) is var device && (_environment.IsHome?.Invoke(device) ?? device == _environment.Self);

    private JobView View() => _replies.View(_job, _place.IsThere(_job), _dependencies, _turn, Now);

    private sealed class Look : INoSerializationVerificationNeeded
    {
        public static readonly Look Instance = new();
    }

    /// <param name="Taken">Null where the store could not be asked.</param>
    private sealed record ArtifactsKnown(int Attempt, AttemptResult Result, IReadOnlySet<string>? Taken) : INoSerializationVerificationNeeded;
}
