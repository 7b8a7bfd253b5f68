using System.Collections.Immutable;
using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Event;
using Akka.Remote;

namespace Akka.Cluster.Membership;

/// <summary>
/// <c>/system/cluster</c> of a member: joins, gossips, watches its neighbours and, while it is the leader, moves members on. Everything about
/// the cluster that changes, changes here. An instance that failed is not started again: what it knew is gone, so this member is out.
/// </summary>
internal sealed partial class ClusterCore : ReceiveActor, IWithTimers
{
    public const string ActorName = "cluster";

    private static readonly TimeSpan RefuseAfter = TimeSpan.FromSeconds(1);

    private readonly Cluster _cluster;
    private readonly ClusterSettings _settings;
    private readonly UniqueAddress _self;
    private readonly ActorSystemImpl _system = (ActorSystemImpl)Context.System;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Subscribers _subscribers;
    private readonly DefaultFailureDetectorRegistry<Address> _detectors;
    private readonly Contacts _contacts;
    private Gossip _gossip = Gossip.Empty;
    private View _view;

    public ClusterCore(Cluster cluster)
    {
        _cluster = cluster;
        _settings = cluster.Settings;
        _self = cluster.SelfUniqueAddress;
        _detectors = cluster.FailureDetector;
        _contacts = new Contacts(_settings.HeartbeatInterval);
        _subscribers = new Subscribers(Context);
        _view = new View(_gossip, _self);
        Receive<JoinTo>(order => JoinAt(order.Address));
        Receive<JoinSeeds>(order => BeginSeeds(order.Seeds));
        Receive<LeaveTo>(order => OnLeave(order.Address));
        Receive<DownTo>(order => OnDown(order.Address));
        Receive<LeaveForGood>(_ => OnLeaveForGood());
        Receive<ConfirmExit>(_ => OnConfirmExit());
        Receive<ShutDown>(_ => Stop());
        Receive<Subscribers.Subscribe>(order => _subscribers.Add(order, _cluster.State));
        Receive<Subscribers.Unsubscribe>(_subscribers.Remove);
        Receive<Terminated>(ended => _subscribers.Remove(new Subscribers.Unsubscribe(ended.ActorRef, null)));
        Receive<Subscribers.SendState>(order => order.To.Tell(_cluster.State));
        Receive<InitJoin>(_ => Sender.Tell(LetsIn ? new InitJoinAck(_self.Address) : new InitJoinNack(_self.Address)));
        Receive<InitJoinAck>(OnInitJoinAck);
        Receive<InitJoinNack>(_ => { });
        Receive<JoinRequest>(OnJoin);
        Receive<Welcome>(OnWelcome);
        Receive<GossipEnvelope>(OnGossip);
        Receive<GossipStatus>(OnStatus);
        Receive<ExitingConfirmed>(OnExitingConfirmed);
        Receive<Heartbeat>(OnHeartbeat);
        Receive<HeartbeatResponse>(OnHeartbeatResponse);
        Receive<ExpectFirst>(OnExpectFirst);
        Receive<Refuse>(OnRefuse);
        Receive<Tick>(OnTick);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private Member? SelfMember => _gossip.Find(_self);

    /// <summary>Whoever goes itself lets nobody in.</summary>
    private bool LetsIn => SelfMember is { Status: not (MemberStatus.Down or MemberStatus.Exiting) };

    private bool IsMember => SelfMember is not null;

    private static TimeSpan Now => Context.System.Scheduler.MonotonicClock;

    private long UnixNow => _system.Settings.Clock.GetUtcNow().ToUnixTimeMilliseconds();

    protected override void PreStart()
    {
        Timers.StartPeriodicTimer(Tick.Gossip, Tick.Gossip, _settings.GossipInterval);
        Timers.StartPeriodicTimer(Tick.Leader, Tick.Leader, _settings.LeaderActionsInterval);
        Timers.StartPeriodicTimer(Tick.Heartbeat, Tick.Heartbeat, _settings.HeartbeatInterval);
        _lastHeartbeatTick = Now;
        if (_settings.SeedNodes.Count > 0)
            BeginSeeds(_settings.SeedNodes);
    }

    protected override void PostStop() => _cluster.CoreStopped();

    protected override void PostRestart(Exception reason)
    {
        _log.Error(reason, "Cluster membership failed; this member is out of the cluster");
        Context.Stop(Self);
        _cluster.SelfRemoved(leftByItself: false);
    }

    private void OnTick(Tick tick)
    {
        if (ReferenceEquals(tick, Tick.Gossip))
            GossipTick();
        else if (ReferenceEquals(tick, Tick.Leader))
            LeaderTick();
        else if (ReferenceEquals(tick, Tick.Heartbeat))
            HeartbeatTick();
        else if (ReferenceEquals(tick, Tick.Soon))
            OnTickSoon();
        else if (ReferenceEquals(tick, Tick.Join))
            OnTickJoin();
        else if (ReferenceEquals(tick, Tick.JoinFailed))
            OnJoinFailed();
        else if (ReferenceEquals(tick, Tick.LeavePatience))
            LeaveAsDown();
    }

    /// <summary>Takes over what is known now, tells subscribers, and acts on what it says about this member itself.</summary>
    private void Update(Gossip next)
    {
        Gossip before = _gossip;
        if (ReferenceEquals(before, next))
            return;
        MemberStatus? was = before.Find(_self)?.Status;
        _gossip = next;
        if (before.Version.CompareTo(next.Version) != Ordering.Same)
            GossipSoon();
        if (ReferenceEquals(before.Members, next.Members) && ReferenceEquals(before.Reachability, next.Reachability))
        {
            _view = _view.SeenByOthers(next);
            _cluster.Set(_cluster.State.Copy(seenBy: StateChanges.SeenBy(next)));
            return;
        }

        Publish();
        MemberStatus? now = next.Find(_self)?.Status;
        if (was is not null and not MemberStatus.Down && now == MemberStatus.Down)
            GivenUp();
        else if (was != MemberStatus.Exiting && now == MemberStatus.Exiting)
            _cluster.SelfExiting();
    }

    private void Publish()
    {
        _view = new View(_gossip, _self);
        Tell(_cluster.State, StateChanges.StateOf(_gossip, _view));
    }

    private void Tell(ClusterEvent.CurrentClusterState before, ClusterEvent.CurrentClusterState after)
    {
        _cluster.Set(after);
        ClusterEvent.IClusterDomainEvent[] events = [.. StateChanges.Between(before, after)];
        foreach (ClusterEvent.MemberRemoved removed in events.OfType<ClusterEvent.MemberRemoved>().Where(removed => removed.Member.UniqueAddress != _self))
        {
            _exited = _exited.Remove(removed.Member.UniqueAddress);
            _detectors.Remove(removed.Member.Address);
            if (removed.PreviousStatus != MemberStatus.Exiting)
                RefuseLater(removed.Member, before.Unreachable.Contains(removed.Member));
            _system.AddressTerminatedTopic.Publish(new AddressTerminated(removed.Member.Address));
        }

        _subscribers.Publish(events);
        _cluster.Told(events, _log);
    }

    /// <summary>A removed incarnation is refused. One that can hear gets a moment to hear that it was removed.</summary>
    private void RefuseLater(Member removed, bool isUnreachable)
    {
        var refuse = new Refuse(removed.UniqueAddress);
        if (isUnreachable)
            OnRefuse(refuse);
        else
            Timers.StartSingleTimer(refuse, refuse, RefuseAfter);
    }

    private void OnRefuse(Refuse refuse) => ((RemoteActorRefProvider)_system.Provider).Quarantine(refuse.Node.Address, refuse.Node.Uid);

    /// <summary>This member is one no more. Subscribers learn that it is removed.</summary>
    private void Stop()
    {
        if (IsMember)
        {
            Gossip without = _gossip.Remove(_self, UnixNow);
            Tell(_cluster.State, StateChanges.StateOf(without, new View(without, _self)));
            _gossip = Gossip.Empty;
            _view = new View(_gossip, _self);
        }

        _subscribers.Publish([(ClusterEvent.IClusterDomainEvent)ClusterEvent.ClusterShuttingDown.Instance]);
        Timers.CancelAll();
        Context.Stop(Self);
    }

    /// <summary>Directly and not by a selection, so that it goes before ordinary messages.</summary>
    private void Send(Address to, IClusterMessage message) => _system.Provider.ResolveActorRef(new RootActorPath(to) / "system" / ActorName).Tell(message, Self);

    internal sealed record JoinTo(Address Address) : INoSerializationVerificationNeeded;

    internal sealed record JoinSeeds(ImmutableList<Address> Seeds) : INoSerializationVerificationNeeded;

    internal sealed record LeaveTo(Address Address) : INoSerializationVerificationNeeded;

    internal sealed record DownTo(Address Address) : INoSerializationVerificationNeeded;

    /// <summary>The actor system ends: leave within the patience for it, agreed or not.</summary>
    internal sealed class LeaveForGood : INoSerializationVerificationNeeded
    {
        public static readonly LeaveForGood Instance = new();
    }

    /// <summary>Everything has been handed over.</summary>
    internal sealed class ConfirmExit : INoSerializationVerificationNeeded
    {
        public static readonly ConfirmExit Instance = new();
    }

    internal sealed class ShutDown : INoSerializationVerificationNeeded
    {
        public static readonly ShutDown Instance = new();
    }

    private sealed record Refuse(UniqueAddress Node) : INoSerializationVerificationNeeded;

    private sealed record ExpectFirst(UniqueAddress Node) : INoSerializationVerificationNeeded;

    private sealed class Tick : INoSerializationVerificationNeeded
    {
        public static readonly Tick Gossip = new();
        public static readonly Tick Leader = new();
        public static readonly Tick Heartbeat = new();
        public static readonly Tick Soon = new();
        public static readonly Tick Join = new();
        public static readonly Tick JoinFailed = new();
        public static readonly Tick LeavePatience = new();
    }
}
