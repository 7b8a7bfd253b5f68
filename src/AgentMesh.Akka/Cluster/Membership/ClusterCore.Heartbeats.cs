using System.Collections.Immutable;
using Akka.Event;

namespace Akka.Cluster.Membership;

/// <summary>Finding out who can be reached.</summary>
internal sealed partial class ClusterCore
{
    private ImmutableHashSet<UniqueAddress> _monitored = [];
    private TimeSpan _lastHeartbeatTick;

    private void OnHeartbeat(Heartbeat heartbeat)
    {
        // A cluster to which this member does not belong must not take it for a member of its own.
        if (!IsMember || _gossip.Find(heartbeat.From) is not null)
            Send(heartbeat.From.Address, new HeartbeatResponse(_self, IsMember ? _gossip.Version.Digest : null));
        if (heartbeat.Heard && _monitored.Contains(heartbeat.From))
        {
            _contacts.Asked(heartbeat.From, Now);
            _detectors.Heartbeat(heartbeat.From.Address);
        }

        if (heartbeat.VersionDigest is { } digest)
            Compare(heartbeat.From, digest);
    }

    private void OnHeartbeatResponse(HeartbeatResponse response)
    {
        if (!_monitored.Contains(response.From))
            return;
        _detectors.Heartbeat(response.From.Address);
        _contacts.Answered(response.From);

        // One that has other gossip sends it, as it was told the digest of this member.
        if (response.VersionDigest is { } digest && digest == _gossip.Version.Digest)
            _contacts.Agreed(response.From, digest, Now);
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
        ImmutableHashSet<UniqueAddress> silentBefore = _gossip.Reachability.UnreachableFor(_self);
        if (pause > _settings.HeartbeatInterval + (_settings.AcceptablePause / 2))
        {
            // This process was stopped or starved, and the silence was its own. Who was silent before stays so until it speaks.
            _log.Info("This process stood still for {0}; its view of the others starts afresh", pause);
            foreach (UniqueAddress node in _monitored.Except(silentBefore))
                _detectors.Remove(node.Address);
            _monitored = _monitored.Intersect(silentBefore);
        }

        Monitor(silentBefore);
        _contacts.Keep(node => _gossip.Find(node) is not null);
        foreach (UniqueAddress node in _monitored)
            Ask(node);
        Reap(silentBefore);
    }

    /// <summary>Of two that watch each other the one with the lower address asks while it hears the answers: that shows both of them as much.</summary>
    private void Ask(UniqueAddress node)
    {
        if (_self.CompareTo(node) < 0 || !_contacts.IsAskedBy(node, Now))
            Send(node.Address, new Heartbeat(_self, _gossip.Version.Digest, _contacts.TakeAnswer(node)));
    }

    private void Monitor(ImmutableHashSet<UniqueAddress> silentBefore)
    {
        ImmutableHashSet<UniqueAddress> wanted = HeartbeatRing.Pick(_gossip, _self, _settings.MonitoredByNrOfMembers, _view.Unreachable, silentBefore);
        foreach (UniqueAddress gone in _monitored.Except(wanted))
            _detectors.Remove(gone.Address);
        foreach (UniqueAddress fresh in wanted.Except(_monitored))
            Timers.StartSingleTimer(fresh, new ExpectFirst(fresh), _settings.HeartbeatExpectedResponseAfter);
        _monitored = wanted;
    }

    private void Reap(ImmutableHashSet<UniqueAddress> silentBefore)
    {
        ImmutableHashSet<UniqueAddress> silent = [.. _monitored.Where(node => !_detectors.IsAvailable(node.Address))];
        Reachability reachability = _gossip.Reachability.With(_self, silent);
        if (ReferenceEquals(reachability, _gossip.Reachability))
            return;
        foreach (UniqueAddress node in silent.Except(silentBefore))
            _log.Warning("[{0}] cannot be reached", node.Address);
        foreach (UniqueAddress node in silentBefore.Except(silent).Where(node => _gossip.Find(node) is not null))
            _log.Info("[{0}] can be reached again", node.Address);
        Update((_gossip with { Reachability = reachability }).ChangedBy(_self));
    }
}
