using Akka.Actor;
using Akka.Event;

namespace AgentMesh.Mesh.Jobs.Entity;

/// <summary>The jobs of this home that are not at rest, as its journal knows them.</summary>
/// <param name="limit">More are found the next time.</param>
public delegate Task<IReadOnlyList<JobId>> FindUnfinishedJobs(int limit, CancellationToken cancellationToken);

/// <param name="Every">Between the end of one round and the next. A job whose actor stopped, because the journal failed for a while, rests no longer than this.</param>
/// <param name="AtOnce">Jobs that are being brought back at a time: a whole home does not recover in one moment.</param>
/// <param name="JobsMax">Jobs of one round.</param>
/// <param name="AnswerWithin">A job that has not answered by then is left to the next round.</param>
public sealed record JobReviverSettings(TimeSpan Every, int AtOnce, int JobsMax, TimeSpan AnswerWithin)
{
    public static JobReviverSettings Default { get; } = new(TimeSpan.FromMinutes(1), 64, 100_000, TimeSpan.FromSeconds(30));
}

/// <summary>Brings unfinished jobs back into memory when their home starts, and looks again every now and then.</summary>
public sealed class JobReviver : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan OverdueTick = TimeSpan.FromSeconds(1);

    private readonly IActorRef _jobs;
    private readonly FindUnfinishedJobs _find;
    private readonly JobReviverSettings _settings;
    private readonly TimeProvider _time;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Dictionary<JobId, long> _asked = [];
    private readonly CancellationTokenSource _stopped = new();
    private Queue<JobId> _waiting = [];
    private int _unanswered;

    public JobReviver(IActorRef jobs, FindUnfinishedJobs find, JobReviverSettings settings, TimeProvider time)
    {
        _jobs = jobs;
        _find = find;
        _settings = settings;
        _time = time;
        Receive<Round>(_ => Begin());
        Receive<Found>(found => OnFound(found.Jobs));
        Receive<Status.Failure>(OnFailure);
        Receive<JobView>(view => OnAnswer(view.JobId));
        Receive<JobProblem>(problem => OnAnswer(problem.JobId));
        Receive<Overdue>(_ => OnOverdue());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <param name="jobs">The region of this home.</param>
    public static Props Create(IActorRef jobs, FindUnfinishedJobs find, JobReviverSettings settings, TimeProvider time) =>
        Props.Create(() => new JobReviver(jobs, find, settings, time));

    protected override void PreStart() => Begin();

    protected override void PostStop()
    {
        _stopped.Cancel();
        _stopped.Dispose();
    }

    private void Begin()
    {
        Task<IReadOnlyList<JobId>> finding;
        try
        {
            finding = _find(_settings.JobsMax, _stopped.Token);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            finding = Task.FromException<IReadOnlyList<JobId>>(error);
        }

        _ = finding.PipeTo(Self, Self, jobs => new Found(jobs));
    }

    private void OnFound(IReadOnlyList<JobId> jobs)
    {
        _waiting = new Queue<JobId>(jobs);
        _unanswered = 0;
        if (jobs.Count > 0)
        {
            Timers.StartPeriodicTimer(Overdue.Instance, Overdue.Instance, OverdueTick);
        }

        Proceed();
    }

    private void OnFailure(Status.Failure failure)
    {
        _log.Warning("Unfinished jobs could not be listed, and are looked for again in {0}: {1}", _settings.Every, failure.Cause.Message);
        End();
    }

    private void OnAnswer(JobId job)
    {
        if (_asked.Remove(job))
        {
            Proceed();
        }
    }

    private void OnOverdue()
    {
        JobId[] overdue = [.. _asked.Where(asked => _time.GetElapsedTime(asked.Value) >= _settings.AnswerWithin).Select(asked => asked.Key)];
        if (overdue.Length > 0)
        {
            _unanswered += overdue.Length;
            Array.ForEach(overdue, job => _asked.Remove(job));
            Proceed();
        }
    }

    private void Proceed()
    {
        while (_asked.Count < _settings.AtOnce && _waiting.TryDequeue(out JobId job))
        {
            _asked[job] = _time.GetTimestamp();
            _jobs.Tell(new WakeJob(job));
        }

        if (_asked.Count == 0)
        {
            End();
        }
    }

    private void End()
    {
        if (_unanswered > 0)
        {
            _log.Warning("{0} unfinished jobs did not answer and are asked again in {1}", _unanswered, _settings.Every);
            _unanswered = 0;
        }

        Timers.Cancel(Overdue.Instance);
        Timers.StartSingleTimer(Round.Instance, Round.Instance, _settings.Every);
    }

    private sealed record Found(IReadOnlyList<JobId> Jobs) : INoSerializationVerificationNeeded;

    private sealed class Round : INoSerializationVerificationNeeded
    {
        public static readonly Round Instance = new();
    }

    private sealed class Overdue : INoSerializationVerificationNeeded
    {
        public static readonly Overdue Instance = new();
    }
}
