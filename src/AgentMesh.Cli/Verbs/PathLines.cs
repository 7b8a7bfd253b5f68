using System.Globalization;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>Paths of connections, for people.</summary>
internal static class PathLines
{
    public static readonly IReadOnlyList<string> Headings = ["NAME", "ROLE", "PATH", "ADDRESS", "RTT", "LOSS", "DATAGRAM", "IN USE", "ANSWERED", "PORT ENDS"];

    public static string RoleOf(string role) => role.Replace('-', ' ');

    public static IEnumerable<IReadOnlyList<string>> Rows(IEnumerable<PeerView> peers) =>
        from peer in peers
        from path in peer.Paths ?? []
        select (IReadOnlyList<string>)[peer.Name, RoleOf(path.Role), Kind(path), path.Address ?? "-", RoundTrip(path.RoundTripMs), Loss(path.LossRatio), Datagram(path), InUse(path), path.AnsweredMs is { } ms ? Age(ms) + " ago" : "never", PortEnds(path)];

    public static string RoundTrip(double? milliseconds) => milliseconds is { } ms ? string.Create(CultureInfo.InvariantCulture, $"{ms:0.0} ms") : "-";

    public static string Loss(double? ratio) => ratio is { } share ? string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.0} %") : "-";

    public static string Datagram(PathView? path) => path?.DatagramBytes is { } bytes ? string.Create(CultureInfo.InvariantCulture, $"{bytes} B") : "-";

    public static string InUse(PathView? path) => path?.InUseMs is { } ms ? Age(ms) : "-";

    /// <summary>One line for status.</summary>
    public static string Of(PathSumView sum)
    {
        string line = $"{sum.Direct} direct, {sum.Relayed} relayed";
        line += sum.InDoubt > 0 ? $", {sum.InDoubt} in doubt" : "";
        line += $"; beside them {sum.Backups} that can take over";
        line += sum.Untried > 0 ? $", {sum.Untried} untried" : "";
        return sum.Failed > 0 ? $"{line}, {sum.Failed} failed" : line;
    }

    /// <summary>What was learned of the NAT before this device.</summary>
    private static string PortEnds(PathView path) => (path.PortSilenceMs, path.PortAgeMs) switch
    {
        ({ } silence, { } age) => $"after {Age(silence)} of silence, at {Age(age)}",
        ({ } silence, null) => $"after {Age(silence)} of silence",
        (null, { } age) => $"at {Age(age)}",
        _ => "-",
    };

    private static string Kind(PathView path) => path.Via is null ? path.Kind : $"{path.Kind} via {path.Via}";

    private static string Age(double milliseconds) => Durations.Age(TimeSpan.FromMilliseconds(milliseconds));
}
