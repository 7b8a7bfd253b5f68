using AgentMesh.Mesh.Groups;
using AgentMesh.Mesh.Jobs.Doors;
using AgentMesh.Mesh.Retention;
using AgentMesh.Mesh.Sharding;
using AgentMesh.Mesh.Webhooks;
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

    private readonly JobEnvironment _environment;
    private readonly JobReplies _replies;
    private readonly JobRequests _requests;
    private readonly AttemptReports _reports;
    private readonly AttemptPlace _place;
    private readonly JobWaiters _waiters;
    private readonly DependencyWatch _dependencies;
    private readonly JobTurn _turn;
    private readonly JobDoor _door;
    private readonly JobOrders _orders;
    private readonly Telling _telling;
    private readonly LookTimes _times;
    private readonly ClockWatch _clock;
    private JobState _job;

    public JobEntity(JobId id, JobEnvironment environment)
        : base(id.ToString(), environment.Time, EventsOfSnapshot, environment.Journal)
    {
        _environment = environment;
        _job = JobState.None(id);
        _replies = new JobReplies(environment);
        _requests = new JobRequests(environment, _replies);
        _reports = new AttemptReports(environment);
        _place = new AttemptPlace(environment.LifeOf);
        _waiters = new JobWaiters(environment.Time);
        _dependencies = new DependencyWatch(environment.Time);
        _turn = new JobTurn(environment.Time);
        _door = new JobDoor(environment.Door?.Invoke());
        _orders = new JobOrders(environment);
        _telling = new Telling(environment.Deliver);
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

    protected override void AfterRejection()
    {
        _telling.Rejected();
        Settle();
    }

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
            case JobView or JobProblem:
                OnDependency((IJobMessage)message);
                break;
            case TurnAnswer answer:
                OnTurn(answer);
                break;
            case Courier.Back back:
                OnTold(back);
                break;
            case JobRemoved:
                OnRemoved();
                break;
            case ReceiveTimeout:
                Context.Parent.Tell(new Passivate(PoisonPill.Instance));
                break;
            default:
                DeviceId from = FromDevice();
                return OnRequest(message, from) || OnReport(message, from);
        }

        return true;
    }

    private bool OnRequest(object message, DeviceId from)
    {
        // Numbers without events: its journal was removed.
        if (_requests.Take(message, _job, from, wasThere: LastSequenceNr > 0, Now) is not { } step)
        {
            return false;
        }

        IActorRef asker = Sender;
        if (step.Change is { } change)
        {
            Record(change, asker, () => asker.Tell(step.Answer ?? View()));
        }
        else if (step.Waits is not { } request)
        {
            asker.Tell(step.Answer ?? View());
        }
        else if (_waiters.TryAdd(asker, request.Deadline - Now, request))
        {
            LookAgain();
        }
        else
        {
            asker.Tell(JobReplies.TooManyWait(_job));
        }

        return true;
    }

    /// <summary>What the device tells that has the attempt.</summary>
    private bool OnReport(object message, DeviceId from)
    {
        if (_reports.Take(message, _job, from, Now) is not { } step)
        {
            return false;
        }

        IActorRef worker = Sender;
        if (step.Heard is { } heard)
        {
            _job = heard;
            _door.LookAt(_job, Self);
        }

        if (step.Reply is { } reply)
        {
            worker.Tell(reply);
        }

        if (step.Change is { } change)
        {
            Record(change, null, Acknowledge);
        }
        else
        {
            Acknowledge();
        }

        if (step.Asked is { } asked)
        {
            _ = asked.Taken.PipeTo(Self, worker, asked.Answered, _ => asked.Answered(null));
        }

        return true;

        void Acknowledge()
        {
            if (step.Receipt is { } receipt)
            {
                worker.Tell(receipt);
            }
        }
    }

    /// <summary>It may go on at another member: who waits is told how it stands, and asks there.</summary>
    protected override void PostStop()
    {
        if (_job.Exists)
        {
            _waiters.TellAll(View);
        }

        _telling.Stop();
        base.PostStop();
    }

    private void OnRecovered()
    {
        _job = _job.Recovered(Now);
        _place.Begins(_job);
        _times.Restart();
        Settle();
        LookAtOnce();
    }

    /// <summary>One that was begun anew in the meantime stays: its journal was not removed then.</summary>
    private void OnRemoved()
    {
        if (_job.IsAtRest)
        {
            Context.Parent.Tell(new Passivate(PoisonPill.Instance));
        }
    }

    private void OnTold(Courier.Back back)
    {
        _telling.Returned();
        if (JobDeliveryRules.Ended(_job, back.DeliveryId, back.Answer, Now) is { } told)
        {
            Record(told, null, null);
        }
        else
        {
            Settle();
        }
    }

    /// <summary>How a job stands that this one waits for.</summary>
    private void OnDependency(IJobMessage told)
    {
        if (_dependencies.Take(told, _job, IsFromHome()))
        {
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
                _orders.Tell(_job, Context);
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
        Record(JobDeliveryRules.Marked(before.Spec, change, NextNumber), asker, _ =>
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
                _orders.Tell(_job, Context);
            }
            else if (_job.Name == JobStateName.Queued)
            {
                LookAtOnce();
            }
            else if (before.Name.HasAttempt() && before.Exists && !JobRules.HasRecordedEnd(_job, before.Attempt))
            {
                // Given up: it may go on there without knowing. Should this be lost, its next heartbeat is answered the same way.
                _orders.End(before, Context);
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
        _times.Looks();
        if (_job.Exists && _telling.Send(JobDeliveryRules.UntilNext(_job, Now), () => JobDeliveryRules.Ready(_job, Now), Self) is { } wait)
        {
            Context.SetReceiveTimeout(null);
            Timers.StartSingleTimer(Look.Instance, Look.Instance, wait);
            return;
        }

        Timers.Cancel(Look.Instance);
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

    private DeviceId FromDevice() => Origin.Of(Sender, Context.System, _environment.Self);

    private bool IsFromHome() => _environment.SpeaksForHome(FromDevice());

    private JobView View() => _replies.View(_job, _place.IsThere(_job), _dependencies, _turn, Now);

    private sealed class Look : INoSerializationVerificationNeeded
    {
        public static readonly Look Instance = new();
    }
}
