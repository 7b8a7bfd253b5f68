using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;

namespace Akka.Cluster.Membership;

/// <summary>Moving members on, and out.</summary>
internal sealed partial class ClusterCore
{
    private readonly Dictionary<UniqueAddress, TimeSpan> _joiningSince = [];
    private ImmutableHashSet<UniqueAddress> _exited = [];
    private bool _leavesOnceJoined;

    private void OnLeave(Address address)
    {
        // The others may have let this system in already; it hears of it with the next message.
        if (!IsMember && address == _self.Address && (_joining is not null || _seeds.Count > 0))
        {
            _leavesOnceJoined = true;
            return;
        }

        Member? member = _gossip.Members.FirstOrDefault(each => each.Address == address);
        if (member?.Status is MemberStatus.Joining or MemberStatus.WeaklyUp or MemberStatus.Up)
        {
            Update(_gossip.Put(member.Copy(MemberStatus.Leaving)).ChangedBy(_self));
            LeaderTick();
        }
    }

    private void OnLeaveForGood()
    {
        if (!IsMember)
        {
            Stop();
            return;
        }

        if (SelfMember is { Status: MemberStatus.Exiting })
            return;
        if (_view.IsBlocked)
        {
            LeaveAsDown();
            return;
        }

        Timers.StartSingleTimer(Tick.LeavePatience, Tick.LeavePatience, _settings.LeavePatience);
        OnLeave(_self.Address);
    }

    /// <summary>
    /// Leaving needs that all agree, and they cannot now or take too long. This system ends anyway, so it may say itself that it is given up; then the
    /// others need not find out by its silence.
    /// </summary>
    private void LeaveAsDown()
    {
        if (SelfMember is not { } self)
            return;
        if (self.Status != MemberStatus.Exiting)
            GoDown(self);
        Stop();
        _cluster.SelfRemoved(leftByItself: true);
    }

    private void OnConfirmExit()
    {
        if (SelfMember is not { Status: MemberStatus.Exiting })
        {
            Stop();
            return;
        }

        _exited = _exited.Add(_self);
        if (!Timers.IsTimerActive(Tick.LeavePatience))
            Timers.StartSingleTimer(Tick.LeavePatience, Tick.LeavePatience, _settings.LeavePatience);
        TellExit();
        LeaderTick();
    }

    /// <summary>To all: who leads may change until it is heard.</summary>
    private void TellExit()
    {
        foreach (Member member in Reachable)
            Send(member.Address, new ExitingConfirmed(_self));
    }

    private void OnExitingConfirmed(ExitingConfirmed exited)
    {
        // Its word may be quicker than the gossip which says that it exits.
        if (_gossip.Find(exited.Node) is null)
            return;
        _exited = _exited.Add(exited.Node);
        LeaderTick();
    }

    private void OnDown(Address address)
    {
        if (address == _self.Address)
        {
            if (SelfMember is not { Status: not MemberStatus.Down } self)
                return;
            GoDown(self);
            GivenUp();
            return;
        }

        if (_gossip.Members.FirstOrDefault(each => each.Address == address && each.Status != MemberStatus.Down) is not { } member)
            return;
        _log.Info("[{0}] is down", address);
        Update(_gossip.Put(member.Copy(MemberStatus.Down)).ChangedBy(_self));

        // If it can hear at all, it should hear it before it is removed and refused.
        SendGossip(member.UniqueAddress);
    }

    /// <summary>Says for itself that it is down, also to those that seem unreachable: they may hear it all the same.</summary>
    private void GoDown(Member self)
    {
        Member[] others = [.. _gossip.Members.Where(member => member.UniqueAddress != _self && member.Status != MemberStatus.Down)];
        _gossip = _gossip.Put(self.Copy(MemberStatus.Down)).ChangedBy(_self);
        Publish();
        foreach (Member member in others)
            SendGossip(member.UniqueAddress);
    }

    private void GivenUp()
    {
        _log.Warning("This member is down; only a new incarnation of this actor system can join again");
        Stop();
        _cluster.SelfRemoved(leftByItself: false);
    }

    /// <summary>The others have taken this member out.</summary>
    private void Removed()
    {
        _log.Info("This member was removed from the cluster");
        bool left = SelfMember?.Status is MemberStatus.Leaving or MemberStatus.Exiting;
        Stop();
        _cluster.SelfRemoved(left);
    }

    private void LeaderTick()
    {
        if (SelfMember is not { Status: not MemberStatus.Down } self)
            return;

        // Nobody else can tell which of two incarnations is the one that lives.
        if (self.Status is MemberStatus.Joining or MemberStatus.WeaklyUp or MemberStatus.Up)
            RemoveOthersAt(_self);
        bool leads = _view.Leader()?.UniqueAddress == _self;
        Gossip next = _gossip;
        if (!_view.IsConvergent)
            next = LetInWeakly(leads);
        else if (leads)
            next = LeaderActions.OnConvergence(_gossip, _settings.Quorum, _exited.Union(_view.Unreachable), UnixNow);
        if (ReferenceEquals(next, _gossip))
            return;
        Member[] removed = [.. _gossip.Members.Where(member => next.Find(member.UniqueAddress) is null)];
        if (removed.Any(member => member.UniqueAddress == _self))
        {
            // A member that exits leads only when all others do so as well: those that wait for their removal hear of it now or never.
            Gossip last = next.ChangedBy(_self);
            foreach (Member member in Reachable)
                Send(member.Address, new GossipEnvelope(_self, member.UniqueAddress, last));
            Stop();
            _cluster.SelfRemoved(self.Status == MemberStatus.Exiting);
            return;
        }

        Update(next.ChangedBy(_self));
        foreach (Member member in removed)
            SendGossip(member.UniqueAddress);
    }

    /// <summary>
    /// The leader lets members in weakly as soon as it knows that somebody cannot be reached, or when agreement takes long. After twice that
    /// time anybody may: it may be the leader that has stopped, and nobody has noticed yet.
    /// </summary>
    private Gossip LetInWeakly(bool leads)
    {
        if (!_settings.AllowWeaklyUpMembers)
            return _gossip;
        TimeSpan now = Now;
        foreach (UniqueAddress gone in _joiningSince.Keys.Where(node => _gossip.Find(node)?.Status != MemberStatus.Joining).ToArray())
            _joiningSince.Remove(gone);
        foreach (Member member in _gossip.Members.Where(member => member.Status == MemberStatus.Joining))
            _joiningSince.TryAdd(member.UniqueAddress, now);
        return LeaderActions.WithoutConvergence(
            _gossip,
            _settings.Quorum,
            member => !_view.Unreachable.Contains(member.UniqueAddress)
                && ((leads && _view.IsBlocked) || now - _joiningSince[member.UniqueAddress] >= (leads ? _settings.WeaklyUpAfter : _settings.WeaklyUpAfter * 2)));
    }
}
