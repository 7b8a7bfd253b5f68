using System.Net;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Recovery;
using AgentMesh.Protocol.Relaying;
using AgentMesh.Transport.Relaying;

namespace AgentMesh.Transport;

/// <summary>Says in words what the paths of a connection are. Called under the connection's lock.</summary>
internal static class PathDescriptions
{
    /// <summary>The path in use.</summary>
    public static MeshPathInfo InUse(MeshEndpoint endpoint, Connection connection, double? loss)
    {
        NetworkPath path = connection.Path;
        return Of(endpoint, connection.Remote, path.Rtt.HasSample ? path.Rtt.Smoothed : null, loss, path.DatagramBytes - PacketLayout.Overhead);
    }

    public static IReadOnlyList<MeshPathState> All(MeshEndpoint endpoint, Connection connection, double? loss, TimeSpan now) =>
    [
        .. connection.Paths.All.Select((path, index) => new MeshPathState(
            index == 0 ? InUse(endpoint, connection, loss) : Of(endpoint, path.Address, path.RoundTrip ?? (path.Traffic is { Rtt.HasSample: true } former ? former.Rtt.Smoothed : null), null, 0),
            index == 0 ? connection.Paths.IsInDoubt ? MeshPathRole.InDoubt : MeshPathRole.InUse : RoleOf(path))
        {
            DatagramBytes = index == 0 ? connection.Path.DatagramBytes : path.Traffic?.Mtu.Current,
            InUseFor = index == 0 && path.TakenAt is { } taken ? now - taken : null,
            AnsweredAgo = path.AnsweredAt is { } answered ? now - answered : null,
            Failures = path.Failures,
            Ecn = index == 0 ? EcnOf(connection) : null,
            Marked = index == 0 ? (connection.Path.Ecn.Marked, connection.Path.Received.Marked) : null,
            KeepAlive = index == 0 ? connection.KeepAliveAfter : null,
            PortSilence = index == 0 ? connection.Mapping.Idle : null,
            PortAge = index == 0 ? connection.Mapping.Absolute : null,
            Target = path.Address,
        }),
    ];

    private static string EcnOf(Connection connection) => !connection.AsksForMarks ? "off" : connection.Path.Ecn.Path.State switch
    {
        EcnState.Capable => "on",
        EcnState.Failed => "off",
        _ => "testing",
    };

    private static MeshPathRole RoleOf(KnownPath path) => path.IsFailed ? MeshPathRole.Failed : path.HasAnswered ? MeshPathRole.Backup : MeshPathRole.Untried;

    private static MeshPathInfo Of(MeshEndpoint endpoint, IPEndPoint remote, TimeSpan? roundTrip, double? loss, int payload)
    {
        RelayChannel? channel = endpoint.Relays.Find(remote);
        string? turn = channel is null ? endpoint.Tunnels.RelayNameOf(remote) : null;
        bool isTunnelled = turn is null && TunnelAddress.IsTunnel(remote), isRelayed = !isTunnelled && RelayAddress.IsRelay(remote);
        return new MeshPathInfo(
            turn is not null ? MeshPathInfo.RelayByTurn : isRelayed ? channel?.Kind ?? MeshPathInfo.Relay : isTunnelled ? MeshPathInfo.Tunnel : MeshPathInfo.Direct,
            SpareAddress.Plain(remote),
            roundTrip,
            loss,
            payload,
            turn ?? (isRelayed ? channel?.Name ?? "a beacon that is away" : null));
    }
}
