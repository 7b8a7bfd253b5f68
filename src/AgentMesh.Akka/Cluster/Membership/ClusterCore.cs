using System.Collections.Immutable;
using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Event;
using Akka.Remote;

namespace Akka.Cluster.Membership;

/// <summary>
/// <c>/system/cluster</c> of a member: joins, gossips, watches its neighbours and, while it is the leader, moves members on. Everything about
/// the cluster that changes, changes here.
/// </summary>
internal sealed class ClusterCore : ReceiveActor, IWithTimers
{
    public const string ActorName = "cluster";

    private static readonly TimeSpan TombstoneLife = TimeSpan.FromHours(24);
    private static readonly TimeSpan SoonGossip = TimeSpan.FromMilliseconds(20);

    private readonly Cluster _cluster;
    private readonly ClusterSettings _settings;
    private readonly UniqueAddress _self;
    private readonly ActorSystemImpl _system = (ActorSystemImpl)Context.System;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Subscribers _subscribers;
    private readonly DefaultFailureDetectorRegistry<Address> _detectors;
    private ImmutableHashSet<UniqueAddress> _monitored = [];
    private Gossip _gossip = Gossip.Empty;
    private ImmutableList<Address> _seeds = [];
    private Address? _joining;
    private TimeSpan _askedSeedsSince;
    private TimeSpan _lastHeartbeatTick;

    public ClusterCore(Cluster cluster)
    {
        _cluster = cluster;
        _settings = cluster.Settings;
        _self = cluster.SelfUniqueAddress;
        _detectors = cluster.FailureDetector;
        _subscribers = new Subscribers(Context);
        Receive<JoinTo>(order => JoinAt(order.Address));
        Receive<JoinSeeds>(order => BeginSeeds(order.Seeds));
        Receive<LeaveTo>(order => OnLeave(order.Address));
        Receive<DownTo>(order => OnDown(order.Address));
        Receive<LeaveRequest>(request => OnLeave(request.Node));
        Receive<Subscribers.Subscribe>(order => _subscribers.Add(order, _cluster.State));
        Receive<Subscribers.Unsubscribe>(_subscribers.Remove);
        Receive<Terminated>(ended => _subscribers.Remove(new Subscribers.Unsubscribe(ended.ActorRef, null)));
        Receive<Subscribers.SendState>(order => order.To.Tell(_cluster.State));
        Receive<InitJoin>(_ => Sender.Tell(IsMember ? new InitJoinAck(_self.Address) : new InitJoinNack(_self.Address)));
        Receive<InitJoinAck>(OnInitJoinAck);
        Receive<InitJoinNack>(_ => { });
        Receive<JoinRequest>(OnJoin);
        Receive<Welcome>(OnWelcome);
        Receive<GossipEnvelope>(OnGossip);
        Receive<GossipStatus>(OnStatus);
        Receive<Heartbeat>(_ => Sender.Tell(new HeartbeatResponse(_self)));
        Receive<HeartbeatResponse>(OnHeartbeatResponse);
        Receive<ExpectFirst>(OnExpectFirst);
        Receive<Tick>(OnTick);
        Receive<ShutDown>(_ => Stop());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private bool IsMember => _gossip.Find(_self) is not null;

    private static TimeSpan Now => Context.System.Scheduler.MonotonicClock;

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

    // --- joining ---

    private void BeginSeeds(ImmutableList<Address> seeds)
    {
        if (IsMember || seeds.Count == 0)
            return;
        _seeds = seeds;
        _joining = null;
        _askedSeedsSince = Now;
        AskSeeds();
    }

    private void AskSeeds()
    {
        if (IsMember || _seeds.Count == 0)
            return;
        Address[] others = [.. _seeds.Where(seed => seed != _self.Address)];
        bool mayBegin = _seeds[0] == _self.Address;
        if (mayBegin && (others.Length == 0 || Now - _askedSeedsSince >= _settings.SeedNodeTimeout))
        {
            JoinAt(_self.Address);
            return;
        }

        foreach (Address seed in others)
            CoreAt(seed).Tell(new InitJoin(), Self);
        Timers.StartSingleTimer(Tick.Join, Tick.Join, TimeSpan.FromMilliseconds(Math.Min(500, _settings.SeedNodeTimeout.TotalMilliseconds)));
    }

    private void OnInitJoinAck(InitJoinAck ack)
    {
        if (!IsMember && _joining is null && _seeds.Count > 0)
            JoinAt(ack.From);
    }

    private void JoinAt(Address address)
    {
        if (IsMember)
            return;
        if (address == _self.Address)
        {
            _seeds = [];
            var first = new Member(_self, Member.NotUpYet, MemberStatus.Joining, _cluster.SelfRoles);
            Update(Gossip.Empty.Put(first).ChangedBy(_self));
            LeaderTick();
            return;
        }

        _joining = address;
        CoreAt(address).Tell(new JoinRequest(_self, _cluster.SelfRoles), Self);
        Timers.StartSingleTimer(Tick.Join, Tick.Join, TimeSpan.FromMilliseconds(500));
    }

    private void OnJoin(JoinRequest request)
    {
        if (!IsMember || _gossip.Find(_self)!.Status is MemberStatus.Down or MemberStatus.Exiting)
            return;
        if (_gossip.Find(request.Node) is not null)
        {
            Sender.Tell(new Welcome(_self, _gossip));
            return;
        }

        if (_gossip.Tombstones.ContainsKey(request.Node))
            return;
        Member? earlier = _gossip.Members.FirstOrDefault(member => member.Address == request.Node.Address);
        if (earlier is not null)
        {
            // The system there was started again. Its earlier life ends first; the new one asks until then.
            if (earlier.Status != MemberStatus.Down)
            {
                _log.Info("[{0}] was started again; its earlier incarnation is down", earlier.Address);
                Update(_gossip.Put(earlier.Copy(MemberStatus.Down)).ChangedBy(_self));
                LeaderTick();
            }

            return;
        }

        _log.Info("[{0}] joins with roles [{1}]", request.Node.Address, string.Join(", ", request.Roles));
        Update(_gossip.Put(new Member(request.Node, Member.NotUpYet, MemberStatus.Joining, request.Roles)).ChangedBy(_self));
        Sender.Tell(new Welcome(_self, _gossip));
        LeaderTick();
    }

    private void OnWelcome(Welcome welcome)
    {
        if (IsMember || welcome.Gossip.Find(_self) is null)
            return;
        _joining = null;
        _seeds = [];
        Timers.Cancel(Tick.Join);
        _log.Info("Welcome from [{0}]", welcome.From.Address);
        Update(welcome.Gossip.SeenAlsoBy(_self));
        SendGossip(welcome.From);
    }

    private void OnTickJoin()
    {
        if (IsMember)
            return;
        Address? asked = _joining;
        _joining = null;
        if (_seeds.Count > 0)
            AskSeeds();
        else if (asked is not null)
            JoinAt(asked);
    }

    // --- leaving and downing ---

    private void OnLeave(Address address)
    {
        Member? member = _gossip.Members.FirstOrDefault(each => each.Address == address);
        if (member?.Status is MemberStatus.Joining or MemberStatus.WeaklyUp or MemberStatus.Up)
        {
            Update(_gossip.Put(member.Copy(MemberStatus.Leaving)).ChangedBy(_self));
            LeaderTick();
        }
    }

    private void OnDown(Address address)
    {
        foreach (Member member in _gossip.Members.Where(each => each.Address == address && each.Status != MemberStatus.Down))
        {
            _log.Info("[{0}] is down", address);
            Update(_gossip.Put(member.Copy(MemberStatus.Down)).ChangedBy(_self));

            // If it can hear at all, it should hear it before it is removed and refused.
            SendGossip(member.UniqueAddress);
        }
    }

    private void Stop()
    {
        _subscribers.Publish([(ClusterEvent.IClusterDomainEvent)ClusterEvent.ClusterShuttingDown.Instance]);
        if (IsMember)
        {
            Gossip without = _gossip.Remove(_self, UnixNow);
            Tell(_cluster.State, StateChanges.StateOf(without, _self));
            _gossip = Gossip.Empty;
        }

        Context.Stop(Self);
    }

    // --- gossip ---

    private void OnStatus(GossipStatus status)
    {
        if (_gossip.Find(status.From) is null)
            return;
        switch (_gossip.Version.CompareTo(status.Version))
        {
            case Ordering.After or Ordering.Concurrent:
                SendGossip(status.From);
                break;
            case Ordering.Before:
                CoreAt(status.From.Address).Tell(new GossipStatus(_self, _gossip.Version), Self);
                break;
        }
    }

    private void OnGossip(GossipEnvelope envelope)
    {
        if (envelope.To != _self || !IsMember)
            return;
        if (envelope.Gossip.Find(_self) is null)
        {
            Removed(envelope.Gossip);
            return;
        }

        if (_gossip.Find(envelope.From) is null && !envelope.Gossip.Members.Any(member => _gossip.Find(member.UniqueAddress) is not null && member.UniqueAddress != _self))
            return;
        Gossip remote = envelope.Gossip;
        bool talkBack;
        Gossip next;
        switch (_gossip.Version.CompareTo(remote.Version))
        {
            case Ordering.Same:
                next = _gossip with { SeenBy = _gossip.SeenBy.Union(remote.SeenBy).Add(_self) };
                talkBack = !remote.SeenBy.Contains(_self);
                break;
            case Ordering.Before:
                next = remote.SeenAlsoBy(_self);
                talkBack = true;
                break;
            case Ordering.After:
                next = _gossip;
                talkBack = true;
                break;
            default:
                next = _gossip.Merge(remote).ChangedBy(_self);
                talkBack = true;
                break;
        }

        bool isNews = !ReferenceEquals(next, _gossip) && _gossip.Version.CompareTo(next.Version) != Ordering.Same;
        Update(next);
        if (talkBack && _gossip.Find(envelope.From) is not null)
            SendGossip(envelope.From);
        if (isNews)
            GossipSoon();
        LeaderTick();
    }

    /// <summary>The others have taken this member out.</summary>
    private void Removed(Gossip theirs)
    {
        if (!theirs.Tombstones.ContainsKey(_self))
            return;
        _log.Info("This member was removed from the cluster");
        Member self = _gossip.Find(_self)!;
        Stop();
        _cluster.SelfRemoved(self.Status == MemberStatus.Exiting);
    }

    private void GossipTick()
    {
        if (!IsMember)
            return;
        _gossip = _gossip.Prune(UnixNow - (long)TombstoneLife.TotalMilliseconds);
        UniqueAddress[] peers = [.. Reachable.Where(member => member.UniqueAddress != _self).Select(member => member.UniqueAddress)];
        UniqueAddress[] behind = [.. peers.Where(peer => !_gossip.SeenBy.Contains(peer))];
        if (behind.Length > 0)
            SendGossip(behind[_system.Settings.Random.Next(behind.Length)]);
        else if (peers.Length > 0)
            CoreAt(peers[_system.Settings.Random.Next(peers.Length)].Address).Tell(new GossipStatus(_self, _gossip.Version), Self);
    }

    /// <summary>News spreads faster than the regular gossip: to everybody who has not seen it, at most five at a time.</summary>
    private void GossipSoon()
    {
        if (!Timers.IsTimerActive(Tick.Soon))
            Timers.StartSingleTimer(Tick.Soon, Tick.Soon, SoonGossip);
    }

    private void OnTickSoon()
    {
        if (!IsMember)
            return;
        foreach (Member member in Reachable.Where(member => member.UniqueAddress != _self && !_gossip.SeenBy.Contains(member.UniqueAddress)).Take(5))
            SendGossip(member.UniqueAddress);
    }

    private void SendGossip(UniqueAddress to) => CoreAt(to.Address).Tell(new GossipEnvelope(_self, to, _gossip), Self);

    private IEnumerable<Member> Reachable
    {
        get
        {
            ImmutableHashSet<UniqueAddress> unreachable = _gossip.Reachability.UnreachableFor(_self);
            return _gossip.Members.Where(member => !unreachable.Contains(member.UniqueAddress) && member.Status != MemberStatus.Down);
        }
    }

    // --- the leader ---

    private void LeaderTick()
    {
        if (_gossip.Find(_self) is not { } self || _gossip.Leader(_self)?.UniqueAddress != _self)
            return;
        bool convergent = _gossip.IsConvergent(_self);
        Gossip next = convergent
            ? LeaderActions.OnConvergence(_gossip, _settings.MinNrOfMembers, UnixNow)
            : _settings.AllowWeaklyUpMembers ? LeaderActions.WithoutConvergence(_gossip, _self, _settings.MinNrOfMembers) : _gossip;
        if (ReferenceEquals(next, _gossip))
            return;
        Member[] removed = [.. _gossip.Members.Where(member => next.Find(member.UniqueAddress) is null)];
        if (removed.Any(member => member.UniqueAddress == _self))
        {
            // A member that leaves leads only while nobody else is there.
            Stop();
            _cluster.SelfRemoved(self.Status == MemberStatus.Exiting);
            return;
        }

        Update(next.ChangedBy(_self));
        foreach (Member member in removed)
            CoreAt(member.Address).Tell(new GossipEnvelope(_self, member.UniqueAddress, _gossip), Self);
    }

    // --- who can be reached ---

    private void OnHeartbeatResponse(HeartbeatResponse response)
    {
        if (_gossip.Find(response.From) is not null)
            _detectors.Heartbeat(response.From.Address);
    }

    private void OnExpectFirst(ExpectFirst expected)
    {
        // From here on silence counts.
        if (_monitored.Contains(expected.Node) && !_detectors.IsMonitoring(expected.Node.Address))
            _detectors.Heartbeat(expected.Node.Address);
    }

    private void HeartbeatTick()
    {
        TimeSpan pause = Now - _lastHeartbeatTick;
        _lastHeartbeatTick = Now;
        if (!IsMember)
            return;
        if (pause > _settings.HeartbeatInterval + (_settings.AcceptablePause / 2))
        {
            // This process was stopped or starved: the silence was its own.
            _log.Info("This process stood still for {0}; its view of the others starts afresh", pause);
            foreach (UniqueAddress node in _monitored)
                _detectors.Remove(node.Address);
            _monitored = [];
        }

        Monitor();
        foreach (UniqueAddress node in _monitored)
            CoreAt(node.Address).Tell(new Heartbeat(_self), Self);
        Reap();
    }

    private void Monitor()
    {
        UniqueAddress[] ring = [.. _gossip.Members.Where(member => member.Status is not MemberStatus.Down).Select(member => member.UniqueAddress)];
        int own = Array.IndexOf(ring, _self);
        ImmutableHashSet<UniqueAddress> wanted = own < 0 ? [] : [.. Enumerable.Range(1, Math.Min(_settings.MonitoredByNrOfMembers, ring.Length - 1)).Select(step => ring[(own + step) % ring.Length])];
        foreach (UniqueAddress gone in _monitored.Except(wanted))
            _detectors.Remove(gone.Address);
        foreach (UniqueAddress fresh in wanted.Except(_monitored))
            Timers.StartSingleTimer(fresh, new ExpectFirst(fresh), _settings.HeartbeatExpectedResponseAfter);
        _monitored = wanted;
    }

    private void Reap()
    {
        ImmutableHashSet<UniqueAddress> silent = [.. _monitored.Where(node => !_detectors.IsAvailable(node.Address))];
        Reachability reachability = _gossip.Reachability.With(_self, silent);
        if (ReferenceEquals(reachability, _gossip.Reachability))
            return;
        foreach (UniqueAddress node in silent.Except(_gossip.Reachability.UnreachableFor(_self)))
            _log.Warning("[{0}] cannot be reached", node.Address);
        foreach (UniqueAddress node in _gossip.Reachability.UnreachableFor(_self).Except(silent))
            _log.Info("[{0}] can be reached again", node.Address);
        Update((_gossip with { Reachability = reachability }).ChangedBy(_self));
    }

    // --- state ---

    private void Update(Gossip next)
    {
        Gossip before = _gossip;
        _gossip = next;
        if (before.Version.CompareTo(next.Version) != Ordering.Same)
            GossipSoon();
        Tell(_cluster.State, StateChanges.StateOf(next, _self));
        if (before.Find(_self) is { Status: not MemberStatus.Down } && next.Find(_self) is { Status: MemberStatus.Down })
            SelfDown();
    }

    private void SelfDown()
    {
        _log.Warning("This member was taken out of the cluster by others");
        Stop();
        _cluster.SelfRemoved(leftByItself: false);
    }

    private void Tell(ClusterEvent.CurrentClusterState before, ClusterEvent.CurrentClusterState after)
    {
        _cluster.Set(after);
        ClusterEvent.IClusterDomainEvent[] events = [.. StateChanges.Between(before, after)];
        foreach (ClusterEvent.MemberRemoved removed in events.OfType<ClusterEvent.MemberRemoved>().Where(removed => removed.Member.UniqueAddress != _self))
        {
            _detectors.Remove(removed.Member.Address);
            if (removed.PreviousStatus != MemberStatus.Exiting)
                ((RemoteActorRefProvider)_system.Provider).Quarantine(removed.Member.Address, removed.Member.UniqueAddress.Uid);
            _system.AddressTerminatedTopic.Publish(new AddressTerminated(removed.Member.Address));
        }

        _subscribers.Publish(events);
        _cluster.Told(events);
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
        else
            OnTickJoin();
    }

    private long UnixNow => _system.Settings.Clock.GetUtcNow().ToUnixTimeMilliseconds();

    private static ActorSelection CoreAt(Address address) => Context.ActorSelection(new RootActorPath(address) / "system" / ActorName);

    internal sealed record JoinTo(Address Address) : INoSerializationVerificationNeeded;

    internal sealed record JoinSeeds(ImmutableList<Address> Seeds) : INoSerializationVerificationNeeded;

    internal sealed record LeaveTo(Address Address) : INoSerializationVerificationNeeded;

    internal sealed record DownTo(Address Address) : INoSerializationVerificationNeeded;

    internal sealed class ShutDown : INoSerializationVerificationNeeded
    {
        public static readonly ShutDown Instance = new();
    }

    private sealed record ExpectFirst(UniqueAddress Node) : INoSerializationVerificationNeeded;

    private sealed class Tick : INoSerializationVerificationNeeded
    {
        public static readonly Tick Gossip = new();
        public static readonly Tick Leader = new();
        public static readonly Tick Heartbeat = new();
        public static readonly Tick Soon = new();
        public static readonly Tick Join = new();
    }
}
