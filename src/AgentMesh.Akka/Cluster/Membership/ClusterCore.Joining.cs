using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;

namespace Akka.Cluster.Membership;

/// <summary>Becoming a member, and letting others become one.</summary>
internal sealed partial class ClusterCore
{
    /// <summary>More are refused: gossip has to fit one payload.</summary>
    private const int MembersMax = 500;

    private static readonly TimeSpan AskSeedsInterval = TimeSpan.FromMilliseconds(500);

    private ImmutableList<Address> _seeds = [];
    private Address? _joining;
    private TimeSpan _noSeedAnsweredSince;

    private void BeginSeeds(ImmutableList<Address> seeds)
    {
        if (IsMember || seeds.Count == 0)
            return;
        _seeds = seeds;
        _joining = null;
        _noSeedAnsweredSince = Now;
        if (_settings.ShutdownAfterUnsuccessfulJoinSeedNodes is { } patience)
            Timers.StartSingleTimer(Tick.JoinFailed, Tick.JoinFailed, patience);
        AskSeeds();
    }

    private void AskSeeds()
    {
        Address[] others = [.. _seeds.Where(seed => seed != _self.Address)];
        bool mayBegin = _seeds[0] == _self.Address;
        if (mayBegin && (others.Length == 0 || Now - _noSeedAnsweredSince >= _settings.SeedNodeTimeout))
        {
            JoinAt(_self.Address);
            return;
        }

        foreach (Address seed in others)
            Send(seed, new InitJoin());
        Timers.StartSingleTimer(Tick.Join, Tick.Join, AskSeedsInterval < _settings.SeedNodeTimeout ? AskSeedsInterval : _settings.SeedNodeTimeout);
    }

    private void OnInitJoinAck(InitJoinAck ack)
    {
        if (IsMember || _seeds.Count == 0)
            return;

        // There is a cluster: this one must not begin another, however long joining takes.
        _noSeedAnsweredSince = Now;
        if (_joining is null)
            JoinAt(ack.From);
    }

    private void JoinAt(Address address)
    {
        if (IsMember)
            return;
        if (address == _self.Address)
        {
            Timers.Cancel(Tick.Join);
            Timers.Cancel(Tick.JoinFailed);
            _joining = null;
            _seeds = [];
            Update(Gossip.Empty.Put(new Member(_self, Member.NotUpYet, MemberStatus.Joining, _cluster.SelfRoles)).ChangedBy(_self));
            LeaderTick();
            if (_leavesOnceJoined)
                OnLeave(_self.Address);
            return;
        }

        if (address.Protocol != _self.Address.Protocol || address.System != _self.Address.System || string.IsNullOrEmpty(address.Host))
        {
            _log.Warning("[{0}] cannot be joined: members have addresses such as [{1}]", address, _self.Address);
            return;
        }

        _joining = address;
        Send(address, new JoinRequest(_self, _cluster.SelfRoles));
        if (_settings.RetryUnsuccessfulJoinAfter is { } again)
            Timers.StartSingleTimer(Tick.Join, Tick.Join, again);
    }

    private void OnTickJoin()
    {
        if (IsMember)
            return;
        if (_seeds.Count > 0)
        {
            // Another seed may be quicker than the one that has not let this member in.
            _joining = null;
            AskSeeds();
        }
        else if (_joining is { } asked)
        {
            JoinAt(asked);
        }
    }

    private void OnJoinFailed()
    {
        if (IsMember)
            return;
        _log.Warning("None of the seed nodes let this system in; it ends");
        Stop();
        _ = CoordinatedShutdown.Get(_system).Run(CoordinatedShutdown.ClusterJoinUnsuccessfulReason.Instance);
    }

    private void OnWelcome(Welcome welcome)
    {
        // Another cluster may have been asked before; this member belongs to the one it asked last.
        if (IsMember || _joining != welcome.From.Address || welcome.Gossip.Find(_self) is null || welcome.Gossip.Find(welcome.From) is null)
            return;
        _joining = null;
        _seeds = [];
        Timers.Cancel(Tick.Join);
        Timers.Cancel(Tick.JoinFailed);
        _log.Info("Welcome from [{0}]", welcome.From.Address);
        Update(welcome.Gossip.SeenAlsoBy(_self));
        SendGossip(welcome.From);
        if (_leavesOnceJoined)
            OnLeave(_self.Address);
    }

    private void OnJoin(JoinRequest request)
    {
        if (!LetsIn || _gossip.Tombstones.ContainsKey(request.Node))
            return;
        if (_gossip.Find(request.Node) is not null)
        {
            Send(request.Node.Address, new Welcome(_self, _gossip));
            return;
        }

        if (!MayJoin(request))
            return;

        // The system there was started again, so its earlier life is over: that needs nobody's agreement, and least of all that of a third
        // member which cannot be reached just now.
        RemoveOthersAt(request.Node);
        _log.Info("[{0}] joins with roles [{1}]", request.Node.Address, string.Join(", ", request.Roles));
        Update(_gossip.Put(new Member(request.Node, Member.NotUpYet, MemberStatus.Joining, request.Roles)).ChangedBy(_self));
        Send(request.Node.Address, new Welcome(_self, _gossip));
        LeaderTick();
    }

    /// <summary>
    /// Of several incarnations at one address only the newest lives. There may be more than one earlier: where each of two members has let another one in and had not heard of
    /// the other's, both come together by gossip.
    /// </summary>
    private void RemoveOthersAt(UniqueAddress newest)
    {
        foreach (Member earlier in _gossip.Members.Where(member => member.Address == newest.Address && member.UniqueAddress != newest).ToArray())
        {
            _log.Info("[{0}] was started again; its earlier incarnation is removed", earlier.Address);
            Update(_gossip.Put(earlier.Copy(MemberStatus.Down)).ChangedBy(_self));
            Update(_gossip.Remove(earlier.UniqueAddress, UnixNow).ChangedBy(_self));
        }
    }

    private bool MayJoin(JoinRequest request)
    {
        Address address = request.Node.Address;
        string? obstacle = address.Protocol != _self.Address.Protocol || address.System != _self.Address.System || string.IsNullOrEmpty(address.Host)
            ? "has an address of another kind"
            : address == _self.Address
                ? "has the address of this member"
                : _gossip.Members.Count >= MembersMax
                    ? "would be one member too many"
                    : ClusterSettings.ObstacleInRoles(request.Roles);
        if (obstacle is not null)
            _log.Warning("[{0}] may not join: it {1}", address, obstacle);
        return obstacle is null;
    }
}
