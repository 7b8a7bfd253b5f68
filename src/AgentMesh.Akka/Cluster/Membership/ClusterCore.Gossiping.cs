using System.Collections.Immutable;

namespace Akka.Cluster.Membership;

/// <summary>Telling others what this member knows.</summary>
internal sealed partial class ClusterCore
{
    private const int SoonMax = 5;

    private static readonly TimeSpan TombstoneLife = TimeSpan.FromHours(24);
    private static readonly TimeSpan SoonGossip = TimeSpan.FromMilliseconds(20);

    private TimeSpan _lastStatus;

    /// <summary>The others that can be reached from here, in no particular order.</summary>
    private Member[] Reachable
    {
        get
        {
            ImmutableHashSet<UniqueAddress> unreachable = _gossip.Reachability.UnreachableFor(_self);
            Member[] others = [.. _gossip.Members.Where(member => member.UniqueAddress != _self && member.Status != MemberStatus.Down && !unreachable.Contains(member.UniqueAddress))];
            _system.Settings.Random.Shuffle(others);
            return others;
        }
    }

    private void OnStatus(GossipStatus status) => Compare(status.From, status.VersionDigest);

    /// <summary>Another one has said, in a heartbeat or for itself, which gossip it has.</summary>
    private void Compare(UniqueAddress with, ulong digest)
    {
        if (!IsMember)
            return;
        bool isKnown = _gossip.Find(with) is not null;
        if (_gossip.Tombstones.ContainsKey(with) || (isKnown && digest != _gossip.Version.Digest))
            SendGossip(with);
        else if (isKnown)
            _contacts.Agreed(with, digest, Now);
    }

    private void OnGossip(GossipEnvelope envelope)
    {
        if (envelope.To != _self || !IsMember)
            return;
        Gossip remote = envelope.Gossip;
        if (_gossip.Tombstones.ContainsKey(envelope.From))
        {
            // It has not heard that it was removed. If each says so of the other, neither is believed.
            if (remote.Find(_self) is not null)
                SendGossip(envelope.From);
            return;
        }

        if (remote.Find(_self) is null)
        {
            if (remote.Tombstones.ContainsKey(_self))
                Removed();
            return;
        }

        // A member that joined elsewhere is unknown here until now; but somebody of its cluster must be known.
        if (_gossip.Find(envelope.From) is null && !remote.Members.Any(member => member.UniqueAddress != _self && _gossip.Find(member.UniqueAddress) is not null))
            return;
        Exchange exchange = Exchange.Of(_gossip, remote, _self);
        Update(exchange.Next);
        if (!IsMember)
            return;
        if (exchange.TalkBack && _gossip.Find(envelope.From) is not null)
            SendGossip(envelope.From);
        if (exchange.IsNews && _view.Leader()?.UniqueAddress is { } leader && leader != _self && leader != envelope.From)
        {
            // The leader waits for everybody to have seen it.
            SendGossip(leader);
        }

        LeaderTick();
    }

    private void GossipTick()
    {
        if (!IsMember)
            return;
        _gossip = _gossip.Prune(UnixNow - (long)TombstoneLife.TotalMilliseconds);
        if (_exited.Contains(_self))
            TellExit();
        UniqueAddress[] peers = [.. Reachable.Select(member => member.UniqueAddress)];
        UniqueAddress[] behind = [.. peers.Where(peer => !_gossip.SeenBy.Contains(peer))];
        foreach (UniqueAddress peer in behind.Take(Math.Clamp(behind.Length / 4, 1, SoonMax)))
            SendGossip(peer);
        if (behind.Length == 0)
            AskForNews(peers);
    }

    /// <summary>Those with whom heartbeats are exchanged have told by them that they know nothing else. The others are asked, in turn by chance.</summary>
    private void AskForNews(UniqueAddress[] peers)
    {
        UniqueAddress[] unsure = [.. peers.Where(peer => !_contacts.Agrees(peer, _gossip.Version.Digest, Now))];

        // What one of them knows comes from the neighbours too, so there is no hurry while these are heard.
        if (unsure.Length == 0 || (unsure.Length < peers.Length && Now - _lastStatus < _settings.HeartbeatInterval))
            return;
        _lastStatus = Now;
        Send(unsure[0].Address, new GossipStatus(_self, _gossip.Version.Digest));
    }

    /// <summary>News spreads faster than the regular gossip.</summary>
    private void GossipSoon()
    {
        if (!Timers.IsTimerActive(Tick.Soon))
            Timers.StartSingleTimer(Tick.Soon, Tick.Soon, SoonGossip);
    }

    private void OnTickSoon()
    {
        if (!IsMember)
            return;
        foreach (Member member in Reachable.Where(member => !_gossip.SeenBy.Contains(member.UniqueAddress)).Take(SoonMax))
            SendGossip(member.UniqueAddress);
    }

    private void SendGossip(UniqueAddress to) => Send(to.Address, new GossipEnvelope(_self, to, _gossip));
}
