using AgentMesh.Errors;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Commands;
using AgentMesh.Mesh.Grants;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Sharding;
using AgentMesh.Protocol.Identity;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Reports;
using AgentMesh.Workers.Spool;
using Akka.Actor;

namespace AgentMesh.Workers.Supervision;

/// <summary>
/// <c>/user/workers</c> of a device: takes attempts from the homes of jobs and tells them how it goes. What runs belongs to the
/// <see cref="ExecutionTable"/>, which outlives this actor: a new one finds it there.
/// </summary>
public sealed class WorkerSupervisor : ReceiveActor, IWithTimers
{
    public const string Name = "workers";

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan ProgressEvery = TimeSpan.FromSeconds(1);

    private readonly WorkerSettings _settings;
    private readonly Dictionary<AttemptKey, Tracked> _tracked = [];

    /// <summary>Each home has a window of its own: one that is away holds up no other.</summary>
    private readonly Dictionary<HomeId, EndsToTell<AttemptKey>> _ends = [];

    public WorkerSupervisor(WorkerSettings settings)
    {
        _settings = settings;
        Receive<RunAttempt>(IsFromHome, OnRunAttempt);
        Receive<CancelAttempt>(IsFromHome, OnCancelAttempt);
        Receive<AttemptEndedAck>(IsFromHome, OnEndedAck);
        Receive<CheckpointKept>(IsFromHome, OnCheckpointKept);
        Receive<Over>(over => OnOver(over.Key));
        Receive<Began>(began => TellBegan(began.Key));
        Receive<TickNow>(_ => OnTick());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Create(WorkerSettings settings) => Props.Create(() => new WorkerSupervisor(settings));

    protected override void PreStart()
    {
        foreach (Execution execution in _settings.Table.All.Where(execution => !execution.IsAcknowledged))
        {
            Audit(execution);
            Track(execution, TimeSpan.FromSeconds(5));
        }

        Timers.StartPeriodicTimer(TickNow.Instance, TickNow.Instance, Tick);
    }

    /// <summary>Only the home of a job decides about its attempts: the device itself, or a member of the pool. Anything else is unhandled.</summary>
    private bool IsFromHome(IJobMessage message) => From is { IsNone: false } device && _settings.SpeaksFor(message.JobId.Home, device);

    private DeviceId From => Origin.Of(Sender, Context.System, _settings.Self);

    /// <summary>A member of a pool passes on what another device asked for: both need the grant.</summary>
    private MeshException? Permission(RunAttempt order, AttemptOrder run)
    {
        string command = _settings.Table.CommandOf(run);
        return _settings.Permission(From, run, command) ?? (order.JobId.Home.IsPool && order.Caller.Device != From ? _settings.Permission(order.Caller.Device, run, command) : null);
    }

    private Confinement? ConfinementOf(RunAttempt order, AttemptOrder run) => Confinement.Both(
        _settings.Confine(From, run), order.JobId.Home.IsPool && order.Caller.Device != From ? _settings.Confine(order.Caller.Device, run) : null);

    private void OnRunAttempt(RunAttempt order)
    {
        var key = new AttemptKey(order.JobId, order.Attempt);
        if (_settings.Table.TryGet(key, out Execution known))
        {
            Answer(known);
            return;
        }

        if (order.Incarnation != _settings.Incarnation || _settings.Table.IsPast(key) || EndOlder(key))
        {
            Sender.Tell(new AttemptUnknown(order.JobId, order.Attempt, _settings.Incarnation));
            return;
        }

        bool isWritten = false;
        try
        {
            (AttemptOrder run, MeshException? wrong) = Expand(key, order);
            _settings.Audit.Taken(run);
            isWritten = true;
            if ((wrong ?? Permission(order, run)) is { } refused)
            {
                throw refused;
            }

            if (_settings.Limiter?.Take(From, order.Caller.DeviceName, _settings.Table.CommandOf(run)) is { } limited)
            {
                Refuse(order, limited.Problem, limited.ComeAgainAfter, isWritten: true);
                return;
            }

            Execution started = _settings.Table.StartOrGet(run with { Confinement = ConfinementOf(order, run) });
            Audit(started);
            Track(started, order.HeartbeatEvery);
            Answer(started);
        }
        catch (MeshException refused)
        {
            Refuse(order, refused, comeAgain: null, isWritten);
        }
    }

    /// <summary>Nothing runs and nothing is kept: the home repeats its order until it has this answer.</summary>
    private void Refuse(RunAttempt order, MeshException why, TimeSpan? comeAgain, bool isWritten)
    {
        var result = new AttemptResult(AttemptOutcome.Refused, Problem: new Problem(why.Code, why.Message, why.NextStep)) { RetryAfter = comeAgain };
        if (isWritten)
        {
            _settings.Audit.Over(new AttemptKey(order.JobId, order.Attempt), result);
        }

        Sender.Tell(new AttemptEnded(order.JobId, order.Attempt, result));
    }

    /// <summary>What the command is here, where its first word may be an alias; or what was sent, with what is wrong with it.</summary>
    private (AttemptOrder Run, MeshException? Wrong) Expand(AttemptKey key, RunAttempt order)
    {
        var sent = new AttemptOrder(key, order.Command.Line, order.Command.Words, order.Caller, order.Timeout, Alias: null) { Needs = order.Needs, Environment = order.Command.Environment, Directory = order.Command.Directory, Checkpoint = order.Checkpoint, Input = order.Command.Input, PipeTo = order.Command.PipeTo, Artifacts = order.Artifacts, Inputs = order.Inputs };
        if (order.Command.IsProgram)
        {
            return (sent, null);
        }

        try
        {
            ExpandedLine line = Aliases.Expand(order.Command.Line, _settings.Aliases, order.Command.CallerAliases);
            return (sent with { Line = line.Line, Words = line.Words, Alias = line.Alias }, null);
        }
        catch (MeshException wrong)
        {
            return (sent, wrong);
        }
    }

    /// <returns>True where a newer attempt of the job runs here: the order comes too late.</returns>
    private bool EndOlder(AttemptKey key)
    {
        bool isOld = false;
        foreach (AttemptKey other in _settings.Table.AttemptsOf(key.Job).Where(other => other.Attempt != key.Attempt))
        {
            if (other.Attempt > key.Attempt)
            {
                isOld = true;
            }
            else
            {
                Abandon(other);
            }
        }

        return isOld;
    }

    private void OnCancelAttempt(CancelAttempt order)
    {
        var key = new AttemptKey(order.JobId, order.Attempt);
        if (!_settings.Table.TryGet(key, out Execution execution))
        {
            Sender.Tell(new AttemptUnknown(order.JobId, order.Attempt, _settings.Incarnation));
            return;
        }

        execution.Cancel();
        if (execution.Ended.IsCompletedSuccessfully)
        {
            Sender.Tell(EndOf(execution));
        }
    }

    private void OnCheckpointKept(CheckpointKept kept)
    {
        if (_tracked.TryGetValue(new AttemptKey(kept.JobId, kept.Attempt), out Tracked? tracked))
        {
            tracked.Execution.Reports?.Kept(kept.Number);
        }
    }

    private void OnEndedAck(AttemptEndedAck ack)
    {
        var key = new AttemptKey(ack.JobId, ack.Attempt);
        if (ack.Recorded)
        {
            Forget(key);
            _settings.Table.AcknowledgeEnd(key);
            TellEnds(key.Job.Home);
        }
        else
        {
            Abandon(key);
        }
    }

    private void Abandon(AttemptKey key)
    {
        Forget(key);

        // Ends in the background; it never fails.
        _ = _settings.Table.AbandonAsync(key);
    }

    private void Answer(Execution execution)
    {
        AttemptKey key = execution.Order.Key;
        Sender.Tell(execution.Settled.IsCompletedSuccessfully ? EndOf(execution) : new AttemptStarted(key.Job, key.Attempt, _settings.Incarnation) { Waiting = execution.Waiting });
    }

    private static AttemptEnded EndOf(Execution execution) => new(execution.Order.Key.Job, execution.Order.Key.Attempt, execution.Ended.Result);

    private void Track(Execution execution, TimeSpan heartbeatEvery)
    {
        AttemptKey key = execution.Order.Key;
        _tracked[key] = new Tracked(execution, heartbeatEvery) { ToldAt = Now };
        _ = execution.Settled.PipeTo(Self, Self, () => new Over(key), _ => new Over(key));
        if (!execution.HasStarted)
        {
            // The home is told at once when its turn comes.
            _ = execution.Begun.PipeTo(Self, Self, () => new Began(key));
        }
    }

    /// <summary>Once, whichever actor begins or finds it; also for what was taken over from an earlier process of this node.</summary>
    private void Audit(Execution execution)
    {
        if (!execution.IsAudited)
        {
            execution.IsAudited = true;
            _ = execution.Ended.ContinueWith(end => _settings.Audit.Over(execution.Order.Key, end.Result), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private void OnOver(AttemptKey key)
    {
        if (!_tracked.ContainsKey(key))
        {
            return;
        }

        if (!_ends.TryGetValue(key.Job.Home, out EndsToTell<AttemptKey>? ends))
        {
            _ends[key.Job.Home] = ends = new EndsToTell<AttemptKey>(_settings.Random);
        }

        ends.Add(key);
        TellEnds(key.Job.Home);
    }

    private void TellEnds(HomeId home)
    {
        if (_ends.TryGetValue(home, out EndsToTell<AttemptKey>? ends))
        {
            foreach (AttemptKey key in ends.Next(Now))
            {
                Tracked tracked = _tracked[key];
                tracked.ToldAt = Now;
                _settings.EntityOf(key.Job).Tell(EndOf(tracked.Execution), Self);
            }
        }
    }

    private void Forget(AttemptKey key)
    {
        _tracked.Remove(key);
        if (_ends.TryGetValue(key.Job.Home, out EndsToTell<AttemptKey>? ends))
        {
            ends.Remove(key);
            if (ends.IsEmpty)
            {
                _ends.Remove(key.Job.Home);
            }
        }
    }

    private void TellBegan(AttemptKey key)
    {
        if (_tracked.ContainsKey(key))
        {
            _settings.EntityOf(key.Job).Tell(new AttemptStarted(key.Job, key.Attempt, _settings.Incarnation), Self);
        }
    }

    private void OnTick()
    {
        foreach (AttemptKey gone in _tracked.Keys.Where(key => !_settings.Table.TryGet(key, out _)).ToArray())
        {
            // Dropped with the device that had ordered it: there is nobody to tell.
            Forget(gone);
        }

        foreach (HomeId home in _ends.Keys)
        {
            TellEnds(home);
        }

        foreach ((AttemptKey key, Tracked tracked) in _tracked)
        {
            TimeSpan since = Now - tracked.ToldAt;
            if (!tracked.Execution.Settled.IsCompletedSuccessfully || _ends.GetValueOrDefault(key.Job.Home)?.IsUntold(key) == true)
            {
                TellHow(key, tracked, since);
            }
        }
    }

    /// <summary>That it lives, at the rate that the home wants; and what the program says of itself, a little later than it does.</summary>
    private void TellHow(AttemptKey key, Tracked tracked, TimeSpan since)
    {
        ProgramReports? reports = tracked.Execution.Reports;
        reports?.Look();
        if (since >= tracked.HeartbeatEvery || (reports?.Progress != tracked.ToldProgress && since >= ProgressEvery))
        {
            tracked.ToldAt = Now;
            tracked.ToldProgress = reports?.Progress;
            AttemptSpool? spool = tracked.Execution.Spool;
            var heartbeat = new AttemptHeartbeat(key.Job, key.Attempt, spool?.Length(SpoolStream.Stdout) ?? 0, spool?.Length(SpoolStream.Stderr) ?? 0) { Waiting = tracked.Execution.Waiting, Progress = reports?.Progress };
            _settings.EntityOf(key.Job).Tell(heartbeat, Self);
        }

        if (reports?.Unkept is { } left && Now - tracked.ToldCheckpointAt >= tracked.HeartbeatEvery)
        {
            tracked.ToldCheckpointAt = Now;
            _settings.EntityOf(key.Job).Tell(new AttemptCheckpoint(key.Job, key.Attempt, left.Number, left.Data), Self);
        }
    }

    private static TimeSpan Now => Context.System.Scheduler.MonotonicClock;

    private sealed class Tracked(Execution execution, TimeSpan heartbeatEvery)
    {
        public Execution Execution => execution;

        public TimeSpan HeartbeatEvery => heartbeatEvery;

        public TimeSpan ToldAt { get; set; }

        public Progress? ToldProgress { get; set; }

        public TimeSpan ToldCheckpointAt { get; set; } = TimeSpan.MinValue / 2;
    }

    private sealed record Began(AttemptKey Key) : INoSerializationVerificationNeeded;

    private sealed record Over(AttemptKey Key) : INoSerializationVerificationNeeded;

    private sealed class TickNow : INoSerializationVerificationNeeded
    {
        public static readonly TickNow Instance = new();
    }
}
