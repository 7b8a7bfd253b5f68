using Akka.Actor;
using Akka.Event;

namespace Akka.Cluster.Sharding.Coordination;

/// <summary>
/// Moves one shard away: first every region forgets where it lives and what it has sent so far arrives (so that nothing more comes), then its
/// owner stops the entities. Both questions are repeated until they are answered, the region is gone, or the time is up.
/// </summary>
internal sealed class HandOffWorker : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan RepeatInterval = TimeSpan.FromMilliseconds(500);

    private readonly string _shard;
    private readonly IActorRef _owner;
    private readonly HashSet<IActorRef> _waitingFor;
    private bool _stopping;

    public HandOffWorker(string shard, IActorRef owner, IActorRef[] regions, TimeSpan timeout)
    {
        _shard = shard;
        _owner = owner;
        _waitingFor = [.. regions];
        Receive<BeginHandOffAck>(_ => Forgotten(Sender));
        Receive<LastOfShardArrived>(last => Forgotten(last.Region));
        Receive<RegionGone>(gone => OnGone(gone.Region));
        Receive<ShardStopped>(_ => End(success: true));
        Receive<Repeat>(_ => Ask());
        Receive<TimeUp>(_ => End(success: false));
        Timeout = timeout;
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private TimeSpan Timeout { get; }

    protected override void PreStart()
    {
        Timers.StartSingleTimer(TimeUp.Instance, TimeUp.Instance, Timeout);
        Timers.StartPeriodicTimer(Repeat.Instance, Repeat.Instance, RepeatInterval);
        Ask();
    }

    private void Ask()
    {
        if (_stopping)
        {
            _owner.Tell(new HandOff(_shard));
            return;
        }

        foreach (IActorRef region in _waitingFor)
            region.Tell(new BeginHandOff(_shard, _owner));
        if (_waitingFor.Count == 0)
            StopShard();
    }

    private void Forgotten(IActorRef region)
    {
        if (_waitingFor.Remove(region) && _waitingFor.Count == 0)
            StopShard();
    }

    private void StopShard()
    {
        _stopping = true;
        _owner.Tell(new HandOff(_shard));
    }

    private void OnGone(IActorRef region)
    {
        if (region.Equals(_owner))
            End(success: true);
        else
            Forgotten(region);
    }

    private void End(bool success)
    {
        Context.Parent.Tell(new Coordinator.HandOffEnded(_shard, success));
        Context.Stop(Self);
    }

    internal sealed record RegionGone(IActorRef Region) : INoSerializationVerificationNeeded, IDeadLetterSuppression;

    private sealed class Repeat
    {
        public static readonly Repeat Instance = new();
    }

    private sealed class TimeUp
    {
        public static readonly TimeUp Instance = new();
    }
}
