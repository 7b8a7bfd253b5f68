using System.Net;
using AgentMesh.Protocol.Packets;

namespace AgentMesh.Protocol.Connections;

/// <summary>What an authentic packet says beside its frames: by where it came from, when, and what kind of packet it is.</summary>
internal sealed class ArrivalNews(NetworkPath path, Whereabouts where, PathTable paths, PathFollower follower, Liveness liveness, TimeSpan ackDelayMax)
{
    // Who is heard again after this time is sent at once what was in flight, and not with the next probe: it was asleep or cut off.
    private static readonly TimeSpan BackAfter = TimeSpan.FromSeconds(1);

    public void Tell(in FrameOutcome outcome, ulong packetNumber, int datagramBytes, IPEndPoint from, TimeSpan now, EcnCodepoint ecn)
    {
        follower.Heard(from, outcome.IsProbe, datagramBytes, now);

        // Acknowledgements alone may come by the path that this side chose for its own: taken for the way of the other side's packets, both would hold each other to it.
        TimeSpan patience = path.Rtt.ProbeTimeout(ackDelayMax);
        if (!outcome.IsProbe && where.Heard(from, packetNumber, patience, now, acksOnly: !outcome.IsAckEliciting) && outcome.IsAckEliciting)
        {
            paths.Heard(from, now);
        }

        path.Received.Add(packetNumber, datagramBytes, outcome.IsAckEliciting, now, ecn, outcome.IsQuestion);
        bool isBack = liveness.SilentFor(now) >= BackAfter;
        liveness.Received(outcome.IsUse, outcome.IsAckEliciting, now);
        if (outcome.IsAnswer)
        {
            liveness.Answered(path.Loss.PacketsInFlight > 0, now);
            paths.Acknowledged(path.Loss.NewestAnswered, now);
        }
        else if (isBack && path.Loss.IsBackedOff)
        {
            path.Loss.Moved();
        }
    }
}
