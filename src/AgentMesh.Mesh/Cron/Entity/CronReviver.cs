using Akka.Actor;
using Akka.Event;

namespace AgentMesh.Mesh.Cron.Entity;

/// <summary>The schedules of this home that were not removed, as its journal knows them.</summary>
public delegate Task<IReadOnlyList<CronId>> FindCrons(int limit, CancellationToken cancellationToken);

/// <param name="Every">Between two rounds. A schedule whose actor stopped, because the journal failed for a while, rests no longer than this.</param>
/// <param name="AtOnce">Schedules that are woken together, then a <paramref name="Pause"/>: a whole home does not recover in one moment.</param>
public sealed record CronReviverSettings(TimeSpan Every, int AtOnce, TimeSpan Pause)
{
    public static CronReviverSettings Default { get; } = new(TimeSpan.FromMinutes(1), 64, TimeSpan.FromMilliseconds(200));
}

/// <summary>Brings schedules into memory when their home starts, and looks again every now and then.</summary>
public sealed class CronReviver : ReceiveActor, IWithTimers
{
    private readonly IActorRef _crons;
    private readonly FindCrons _find;
    private readonly CronReviverSettings _settings;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly CancellationTokenSource _stopped = new();
    private Queue<CronId> _waiting = [];

    public CronReviver(IActorRef crons, FindCrons find, CronReviverSettings settings)
    {
        _crons = crons;
        _find = find;
        _settings = settings;
        Receive<Round>(_ => Begin());
        Receive<Found>(found =>
        {
            _waiting = new Queue<CronId>(found.Crons);
            Proceed();
        });
        Receive<More>(_ => Proceed());
        Receive<Status.Failure>(failure =>
        {
            _log.Warning("Schedules could not be listed, and are looked for again in {0}: {1}", _settings.Every, failure.Cause.Message);
            Again();
        });

        // One that does not answer is asked in the next round.
        Receive<ICronMessage>(_ => { });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <param name="crons">The region of this home.</param>
    public static Props Create(IActorRef crons, FindCrons find, CronReviverSettings settings) => Props.Create(() => new CronReviver(crons, find, settings));

    protected override void PreStart() => Begin();

    protected override void PostStop()
    {
        _stopped.Cancel();
        _stopped.Dispose();
    }

    private void Begin()
    {
        Task<IReadOnlyList<CronId>> finding;
        try
        {
            finding = _find(CronRules.PerDeviceMax, _stopped.Token);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            finding = Task.FromException<IReadOnlyList<CronId>>(error);
        }

        _ = finding.PipeTo(Self, Self, crons => new Found(crons));
    }

    private void Proceed()
    {
        for (int woken = 0; woken < _settings.AtOnce && _waiting.TryDequeue(out CronId cron); woken++)
        {
            _crons.Tell(new WakeCron(cron), Self);
        }

        if (_waiting.Count > 0)
        {
            Timers.StartSingleTimer(More.Instance, More.Instance, _settings.Pause);
        }
        else
        {
            Again();
        }
    }

    private void Again() => Timers.StartSingleTimer(Round.Instance, Round.Instance, _settings.Every);

    private sealed record Found(IReadOnlyList<CronId> Crons) : INoSerializationVerificationNeeded;

    private sealed class Round : INoSerializationVerificationNeeded
    {
        public static readonly Round Instance = new();
    }

    private sealed class More : INoSerializationVerificationNeeded
    {
        public static readonly More Instance = new();
    }
}
