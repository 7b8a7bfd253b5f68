using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Recovery;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Protocol.Connections;

/// <summary>When an open <see cref="Connection"/> has something to do, by what each of its parts waits for.</summary>
internal sealed class ConnectionTimes(
    NetworkPath path, Whereabouts where, PathProber prober, PathTable paths, PathFollower follower, MappingWatch mapping, Transmitter transmitter, Liveness liveness, IPacketProtector protector, StreamLayer streams, SendShare? share, TimeSpan ackDelayMax)
{
    // As many round trips an answer may take in any case, before the other side counts as silent.
    private const int SilentRoundTrips = 5;

    /// <summary>
    /// When nothing of what waits for an acknowledgement was acknowledged for so long, and for five round trips, the connection ends: for an application that finds another way
    /// sooner than the other side comes back. Null: after <see cref="ConnectionSettings.PeerTimeout"/> alone.
    /// </summary>
    public TimeSpan? SilenceMax { get; set; }

    /// <summary>The connection ends then, by <see cref="SilenceMax"/>.</summary>
    public TimeSpan SilentAt =>
        SilenceMax is not { } most || liveness.UnansweredSince is not { } since ? TimeSpan.MaxValue
        : since + (most > SilentRoundTrips * path.Rtt.Smoothed ? most : SilentRoundTrips * path.Rtt.Smoothed);

    public LivenessNeeds Needs => new(streams.Count > 0, HasBackup: !where.IsRelayed && paths.HasRelay, mapping.Idle, StallAfter);

    /// <summary>Another socket is to be asked for at <see cref="MappingWatch.MoveAt"/>, and may be.</summary>
    public bool IsMoveWanted => mapping.MoveAt < liveness.UsedUntil && follower.MayMoveSocket;

    private TimeSpan StallAfter
    {
        get
        {
            TimeSpan timeouts = 2 * path.Rtt.ProbeTimeout(ackDelayMax);
            return timeouts > Liveness.StallMin ? timeouts : Liveness.StallMin;
        }
    }

    public TimeSpan Next()
    {
        TimeSpan next = Min(Min(liveness.NextTimeout(Needs, transmitter.IsPingPending), SilentAt), protector.NextWakeUp);
        next = Min(next, path.Loss.NextTimeout(ackDelayMax) ?? TimeSpan.MaxValue);
        next = Min(next, path.Received.DueAt ?? TimeSpan.MaxValue);
        next = Min(next, path.Mtu.NextTimeout);
        next = Min(next, paths.NextTimeout(path.Rtt, ackDelayMax));
        next = IsMoveWanted ? Min(next, mapping.MoveAt) : next;
        next = path.Sent.IsFull ? next : Min(next, Min(prober.NextTimeout, paths.NextQuestionAt));
        next = transmitter.IsHeld ? Min(next, share!.NextAt) : next;
        next = Min(next, streams.CreditAt);
        return transmitter.IsPacing ? Min(next, path.Pacer.NextAt) : next;
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
