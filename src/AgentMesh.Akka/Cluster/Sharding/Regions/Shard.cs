using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;

namespace Akka.Cluster.Sharding.Regions;

/// <summary>The entities of one shard on one member: started by their first message, stopped when idle, on request or for a hand-off.</summary>
internal sealed class Shard : ReceiveActor, IWithTimers
{
    private readonly string _shard;
    private readonly RegionSettings _settings;
    private readonly Func<string, Props> _props;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Dictionary<string, Entity> _entities = new(StringComparer.Ordinal);
    private readonly Dictionary<IActorRef, string> _ids = [];
    private readonly MessageBuffers _waiting;
    private bool _stopping;

    public Shard(string shard, RegionSettings settings, Func<string, Props> props)
    {
        _shard = shard;
        _settings = settings;
        _props = props;
        _waiting = new MessageBuffers(settings.Tuning.BufferSize);
        Receive<Terminated>(OnTerminated);
        Receive<Passivate>(request => Passivate(Sender, request.StopMessage));
        Receive<StopAll>(_ => OnStopAll());
        Receive<Overdue>(_ => OnOverdue());
        Receive<Sweep>(_ => OnSweep());
        Receive<GetState>(_ => Sender.Tell(new ShardState(_shard, [.. _entities.Keys])));
        Receive<GetCount>(_ => Sender.Tell(_entities.Count));
        ReceiveAny(Deliver);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        if (_settings.PassivateIdleAfter <= TimeSpan.Zero)
            return;
        TimeSpan interval = _settings.PassivateIdleAfter / 2;
        Timers.StartPeriodicTimer(Sweep.Instance, Sweep.Instance, interval);
    }

    private void Deliver(object message)
    {
        if (_stopping)
        {
            Context.Parent.Forward(message);
            return;
        }

        (string id, object content) = Open(message);
        Entity entity = Awake(id);
        if (!entity.Passivating)
        {
            entity.LastMessage = Context.System.Scheduler.MonotonicClock;
            entity.Actor.Tell(content, Sender);
        }
        else if (!_waiting.Add(id, message, Sender))
        {
            Context.System.EventStream.Publish(new Dropped(content, $"the buffer of shard [{_shard}] is full", Sender, Self));
        }
    }

    private (string Id, object Content) Open(object message) => message is ShardingEnvelope envelope && _settings.Extractor.EntityId(message) is null
        ? (envelope.EntityId, envelope.Message)
        : (_settings.Extractor.EntityId(message)!, _settings.Extractor.EntityMessage(message)!);

    private Entity Awake(string id)
    {
        if (_entities.TryGetValue(id, out Entity? known))
            return known;
        IActorRef actor = Context.Watch(Context.ActorOf(_props(id), Uri.EscapeDataString(id)));
        var entity = new Entity(actor) { LastMessage = Context.System.Scheduler.MonotonicClock };
        _entities.Add(id, entity);
        _ids.Add(actor, id);
        return entity;
    }

    private void Passivate(IActorRef actor, object stopMessage)
    {
        if (!_ids.TryGetValue(actor, out string? id))
            return;
        Entity entity = _entities[id];
        if (entity.Passivating)
            return;
        entity.Passivating = true;
        actor.Tell(stopMessage);
    }

    private void OnTerminated(Terminated ended)
    {
        if (!_ids.Remove(ended.ActorRef, out string? id))
            return;
        _entities.Remove(id);
        if (_stopping)
        {
            if (_entities.Count == 0)
                Context.Stop(Self);
            return;
        }

        IReadOnlyCollection<(object Message, IActorRef Sender)> late = _waiting.Take(id);
        if (late.Count == 0)
            return;
        _log.Debug("Entity [{0}] is started again: {1} messages came while it stopped", id, late.Count);
        Entity again = Awake(id);
        foreach ((object message, IActorRef sender) in late)
            again.Actor.Tell(Open(message).Content, sender);
    }

    private void OnStopAll()
    {
        if (!_stopping)
        {
            _stopping = true;
            Context.Parent.Tell(new Returned(_shard, [.. _waiting.Keys.ToArray().SelectMany(_waiting.Take)]));
            foreach (Entity entity in _entities.Values)
                entity.Actor.Tell(_settings.StopMessage);

            // Before the coordinator gives the hand-off up.
            Timers.StartSingleTimer(Overdue.Instance, Overdue.Instance, _settings.Tuning.HandOffTimeout * 0.9);
        }

        if (_entities.Count == 0)
            Context.Stop(Self);
    }

    private void OnOverdue()
    {
        _log.Warning("{0} entities of shard [{1}] did not heed the stop message of the hand-off; they are stopped", _entities.Count, _shard);
        foreach (Entity entity in _entities.Values)
            Context.Stop(entity.Actor);
    }

    private void OnSweep()
    {
        TimeSpan before = Context.System.Scheduler.MonotonicClock - _settings.PassivateIdleAfter;
        foreach (Entity entity in _entities.Values.Where(entity => entity.LastMessage < before).ToArray())
            Passivate(entity.Actor, _settings.StopMessage);
    }

    private sealed class Entity(IActorRef actor)
    {
        public IActorRef Actor => actor;

        public TimeSpan LastMessage { get; set; }

        public bool Passivating { get; set; }
    }

    /// <summary>What waited for entities to be started again when the hand-off came; older than anything the region has held since.</summary>
    internal sealed record Returned(string Shard, IReadOnlyCollection<(object Message, IActorRef Sender)> Messages) : INoSerializationVerificationNeeded;

    /// <summary>Hand-off: stop every entity, then yourself. Nothing is sent to the shard after it.</summary>
    internal sealed class StopAll
    {
        public static readonly StopAll Instance = new();
    }

    internal sealed class GetState
    {
        public static readonly GetState Instance = new();
    }

    internal sealed class GetCount
    {
        public static readonly GetCount Instance = new();
    }

    private sealed class Overdue
    {
        public static readonly Overdue Instance = new();
    }

    private sealed class Sweep
    {
        public static readonly Sweep Instance = new();
    }
}
