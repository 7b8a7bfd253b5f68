using System.Net;
using AgentMesh.Protocol.Recovery;

namespace AgentMesh.Protocol.Connections;

/// <summary>
/// The relay beside a direct path: kept ready, taken when the direct path falls silent, and left when it goes away itself.
/// <code>
/// in use    event                                        then in use
/// direct    nothing acknowledged for too long            relay
/// relay     another relay                                that one
/// relay     relay gone, and a direct path was in use     the direct one
/// relay     a direct path has proven itself              direct (PathProber)
/// </code>
/// </summary>
internal sealed class WayRound(Whereabouts where, Liveness liveness)
{
    private static readonly TimeSpan SilenceMin = TimeSpan.FromSeconds(1.5);

    private IPEndPoint? _direct = where.IsRelayed ? null : where.Remote;

    public IPEndPoint? Relay { get; private set; } = where.IsRelayed ? where.Remote : null;

    /// <returns>Where to go at once; null to stay.</returns>
    public IPEndPoint? SetRelay(IPEndPoint? relay)
    {
        Relay = relay;
        IPEndPoint? wanted = where.IsRelayed ? relay ?? _direct : null;
        return wanted is null || wanted.Equals(where.Remote) ? null : wanted;
    }

    public void Moved()
    {
        if (!where.IsRelayed)
        {
            _direct = where.Remote;
        }
    }

    public TimeSpan NextTimeout(RttEstimator rtt, TimeSpan ackDelayMax) =>
        CanLeave && liveness.UnansweredSince is { } since ? since + Patience(rtt, ackDelayMax) : TimeSpan.MaxValue;

    public bool IsDue(RttEstimator rtt, TimeSpan ackDelayMax, TimeSpan now) => now >= NextTimeout(rtt, ackDelayMax);

    // What is within this machine does not fail by its network, and its datagrams are too long for a relay.
    private bool CanLeave => Relay is not null && !where.IsRelayed && !IPAddress.IsLoopback(where.Remote.Address);

    private static TimeSpan Patience(RttEstimator rtt, TimeSpan ackDelayMax)
    {
        TimeSpan probes = 3 * rtt.ProbeTimeout(ackDelayMax);
        return probes > SilenceMin ? probes : SilenceMin;
    }
}
