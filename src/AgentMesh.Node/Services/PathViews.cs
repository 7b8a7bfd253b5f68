using AgentMesh.Node.Control;
using AgentMesh.Transport;

namespace AgentMesh.Node.Services;

/// <summary>The paths of connections, for the control API.</summary>
internal static class PathViews
{
    public static string RoleName(MeshPathRole role) => role switch
    {
        MeshPathRole.InUse => "in-use",
        MeshPathRole.InDoubt => "in-doubt",
        MeshPathRole.Backup => "backup",
        MeshPathRole.Untried => "untried",
        _ => "failed",
    };

    public static PathView[] Of(IMeshConnection connection) => [.. connection.Paths.Select(Of)];

    public static PathSumView Sum(IEnumerable<IMeshConnection> connections)
    {
        IReadOnlyList<MeshPathState>[] all = [.. connections.Select(connection => connection.Paths).Where(paths => paths.Count > 0)];
        return new PathSumView(
            all.Count(paths => !paths[0].Info.IsRelayed),
            all.Count(paths => paths[0].Info.IsRelayed),
            Count(MeshPathRole.InDoubt),
            Count(MeshPathRole.Backup),
            Count(MeshPathRole.Untried),
            Count(MeshPathRole.Failed));

        int Count(MeshPathRole role) => all.Sum(paths => paths.Count(path => path.Role == role));
    }

    private static PathView Of(MeshPathState path) => new(
        RoleName(path.Role),
        path.Info.Kind,
        path.Info.Via is null ? path.Info.Remote.ToString() : null,
        path.Info.Via,
        path.Info.RoundTrip?.TotalMilliseconds,
        path.Info.LossRatio,
        path.DatagramBytes,
        path.InUseFor?.TotalMilliseconds,
        path.AnsweredAgo?.TotalMilliseconds,
        path.Failures,
        path.Ecn,
        path.Marked?.Sent,
        path.Marked?.Received)
    {
        KeepAliveMs = path.KeepAlive?.TotalMilliseconds,
        PortSilenceMs = path.PortSilence?.TotalMilliseconds,
        PortAgeMs = path.PortAge?.TotalMilliseconds,
    };
}
