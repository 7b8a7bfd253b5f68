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
            Send(heartbeat.From.Address, new HeartbeatResponse(_self));
    }

    private void OnHeartbeatResponse(HeartbeatResponse response)
    {
        if (_monitored.Contains(response.From))
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
        foreach (UniqueAddress node in _monitored)
            Send(node.Address, new Heartbeat(_self));
        Reap(silentBefore);
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
