using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol.Relaying;

namespace AgentMesh.Protocol.Connections;

/// <summary>Decides by which of the known paths packets of a <see cref="Connection"/> go, and changes what depends on it when they go by another one.</summary>
internal sealed class PathFollower(
    NetworkPath path, Whereabouts where, PathProber prober, PathTable paths, PathMeasuring measuring, AddressTeller teller, MappingWatch mapping, Transmitter transmitter, Queue<ConnectionEvent> events, TimeSpan ackDelayMax)
{
    // The other side follows within this time to where this one has chosen to be.
    private static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(1.5);

    // What was learned of a way counts again when it is taken again so soon.
    private static readonly TimeSpan TrafficTime = TimeSpan.FromSeconds(30);

    /// <summary>Another socket may be used instead of the usual one. Spare sockets are for IPv4, since NATs are.</summary>
    public bool MayMoveSocket => !where.IsRelayed && !IPAddress.IsLoopback(where.Remote.Address) && SpareAddress.Plain(where.Remote).AddressFamily == AddressFamily.InterNetwork;

    /// <summary>What an authentic packet says about paths by where it came from.</summary>
    public void Heard(IPEndPoint from, bool isProbe, int datagramBytes, TimeSpan now)
    {
        bool isFromElsewhere = !ReferenceEquals(from, where.Remote) && !from.Equals(where.Remote);
        if (isFromElsewhere)
        {
            path.Received.Unthin();
        }

        if (isFromElsewhere && isProbe && where.TryTakeChallenge(out ReadOnlySpan<byte> question))
        {
            prober.Asked(from, question, datagramBytes);
        }

        if (measuring.TryTake(from, now))
        {
            events.Enqueue(new ConnectionEvent(ConnectionEventKind.Measured));
            return;
        }

        IPEndPoint before = where.Remote;
        if (where.TryMove(from))
        {
            Moved(before, failed: false, now);
            paths.Active.Works(now);
        }
        else if (prober.TryProve(from))
        {
            if (paths.Proven(from, now) is { } proven && where.IsRelayed)
            {
                MoveTo(proven, failed: false, now);
            }
        }
        else if (paths.TryAnswer(from, path.Rtt, ackDelayMax, now) is { } better)
        {
            bool hasFollowed = where.HasAsked(better.Address);
            MoveTo(better, failed: paths.IsInDoubt && !hasFollowed, now);
            if (!hasFollowed)
            {
                where.Settle(now + SettleTime);
            }
        }
        else if (isFromElsewhere && where.IsRelayed)
        {
            prober.Noticed(from, now);
        }
    }

    /// <summary>Leaves the path in use for another one, if it is time to.</summary>
    public void HandleTimeout(TimeSpan now)
    {
        if (paths.HandleTimeout(path.Rtt, ackDelayMax, now) is { } other)
        {
            MoveTo(other, failed: true, now);
            where.Settle(now + SettleTime);
        }
    }

    /// <param name="failed">The path in use is left because it fell silent.</param>
    public void MoveTo(KnownPath to, bool failed, TimeSpan now)
    {
        IPEndPoint before = where.Remote;
        where.MoveTo(to.Address);
        Moved(before, failed, now);
        transmitter.IsPingPending = true; // shows the other side, and this one, that it works
    }

    private void Moved(IPEndPoint before, bool failed, TimeSpan now)
    {
        paths.Active.Traffic = path.Traffic;
        paths.Moved(failed, now);
        KnownPath active = paths.Active;
        bool isOtherNetwork = !SpareAddress.Plain(before).Address.Equals(SpareAddress.Plain(active.Address).Address);
        active.Traffic = !isOtherNetwork ? path.Traffic
            : active.Traffic is { } kept && now - active.LeftAt < TrafficTime ? kept
            : path.NewTraffic(active.RoundTrip);
        path.Moved(active.Traffic);
        teller.IsAt(active.Address);
        mapping.Moved(active.Address, active.SpareSince ?? now);
        if (!where.IsRelayed)
        {
            prober.Guesser.Stop();
        }

        events.Enqueue(new ConnectionEvent(ConnectionEventKind.Moved));
    }
}
