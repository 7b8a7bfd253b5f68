using Akka.Actor;
using Akka.Event;

namespace AgentMesh.Mesh.Sharding;

/// <summary>Ids of the entities of this home that have something to do by themselves, as its journal knows them.</summary>
/// <param name="limit">More are found the next time.</param>
public delegate Task<IReadOnlyList<string>> FindEntities(int limit, CancellationToken cancellationToken);

/// <param name="Every">Between the end of one round and the next. An entity whose actor stopped, because the journal failed for a while, rests no longer than this.</param>
/// <param name="AtOnce">Entities that are being brought back at a time: a whole home does not recover in one moment.</param>
/// <param name="EntitiesMax">Entities of one round.</param>
/// <param name="AnswerWithin">An entity that has not answered by then is left to the next round.</param>
public sealed record EntityReviverSettings(TimeSpan Every, int AtOnce, int EntitiesMax, TimeSpan AnswerWithin)
{
    public static EntityReviverSettings Default { get; } = new(TimeSpan.FromMinutes(1), 64, 100_000, TimeSpan.FromSeconds(30));
}

/// <summary>Brings entities of one kind back into memory when their home starts, and looks again every now and then.</summary>
public sealed class EntityReviver : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan OverdueTick = TimeSpan.FromSeconds(1);

    private readonly string _kind;
    private readonly IActorRef _region;
    private readonly FindEntities _find;
    private readonly Func<string, object?> _wake;
    private readonly EntityReviverSettings _settings;
    private readonly TimeProvider _time;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly MeshExtractor _extractor = new();
    private readonly Dictionary<string, long> _asked = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stopped = new();
    private Queue<string> _waiting = [];
    private int _unanswered;
    private bool _again;

    public EntityReviver(string kind, IActorRef region, FindEntities find, Func<string, object?> wake, EntityReviverSettings settings, TimeProvider time)
    {
        _kind = kind;
        _region = region;
        _find = find;
        _wake = wake;
        _settings = settings;
        _time = time;
        Receive<Round>(_ => Begin());
        Receive<LookNow>(_ => OnLookNow());
        Receive<Found>(found => OnFound(found.Ids));
        Receive<Status.Failure>(OnFailure);
        Receive<Overdue>(_ => OnOverdue());
        ReceiveAny(answer => OnAnswer(_extractor.EntityId(answer)));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <param name="kind">In the plural, for the log.</param>
    /// <param name="region">The one of this home.</param>
    /// <param name="wake">A message that the entity of this id answers; null for an id that is none.</param>
    public static Props Create(string kind, IActorRef region, FindEntities find, Func<string, object?> wake, EntityReviverSettings settings, TimeProvider time) =>
        Props.Create(() => new EntityReviver(kind, region, find, wake, settings, time));

    protected override void PreStart() => Begin();

    protected override void PostStop()
    {
        _stopped.Cancel();
        _stopped.Dispose();
    }

    private void Begin()
    {
        Task<IReadOnlyList<string>> finding;
        try
        {
            finding = _find(_settings.EntitiesMax, _stopped.Token);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            finding = Task.FromException<IReadOnlyList<string>>(error);
        }

        _ = finding.PipeTo(Self, Self, ids => new Found(ids));
    }

    private void OnFound(IReadOnlyList<string> ids)
    {
        _waiting = new Queue<string>(ids);
        _unanswered = 0;
        if (ids.Count > 0)
        {
            Timers.StartPeriodicTimer(Overdue.Instance, Overdue.Instance, OverdueTick);
        }

        Proceed();
    }

    private void OnFailure(Status.Failure failure)
    {
        _log.Warning("{0} could not be listed, and are looked for again in {1}: {2}", _kind, _settings.Every, failure.Cause.Message);
        End();
    }

    private void OnAnswer(string? id)
    {
        if (id is not null && _asked.Remove(id))
        {
            Proceed();
        }
    }

    private void OnOverdue()
    {
        string[] overdue = [.. _asked.Where(asked => _time.GetElapsedTime(asked.Value) >= _settings.AnswerWithin).Select(asked => asked.Key)];
        if (overdue.Length > 0)
        {
            _unanswered += overdue.Length;
            Array.ForEach(overdue, id => _asked.Remove(id));
            Proceed();
        }
    }

    private void Proceed()
    {
        while (_asked.Count < _settings.AtOnce && _waiting.TryDequeue(out string? id))
        {
            if (_wake(id) is { } message)
            {
                _asked[id] = _time.GetTimestamp();
                _region.Tell(message);
            }
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
            _log.Warning("{0} {1} did not answer and are asked again in {2}", _unanswered, _kind, _settings.Every);
            _unanswered = 0;
        }

        Timers.Cancel(Overdue.Instance);
        Timers.StartSingleTimer(Round.Instance, Round.Instance, _again ? TimeSpan.Zero : _settings.Every);
        _again = false;
    }

    /// <summary>Between two rounds only: one that is under way goes on, and begins again when it ends.</summary>
    private void OnLookNow()
    {
        if (Timers.IsTimerActive(Round.Instance))
        {
            Timers.Cancel(Round.Instance);
            Begin();
        }
        else
        {
            _again = true;
        }
    }

    /// <summary>Asks for a round now, as some of the entities may have lost the device they were awake on.</summary>
    public sealed class LookNow : INoSerializationVerificationNeeded
    {
        public static readonly LookNow Instance = new();
    }

    private sealed record Found(IReadOnlyList<string> Ids) : INoSerializationVerificationNeeded;

    private sealed class Round : INoSerializationVerificationNeeded
    {
        public static readonly Round Instance = new();
    }

    private sealed class Overdue : INoSerializationVerificationNeeded
    {
        public static readonly Overdue Instance = new();
    }
}
