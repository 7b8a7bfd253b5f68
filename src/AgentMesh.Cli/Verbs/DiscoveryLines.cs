using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Verbs;

/// <summary>How devices are found without an address, in one line.</summary>
internal static class DiscoveryLines
{
    public static string Of(DiscoveryView view) => $"{Near(view)}; DHT{(view.Dht is { } dht ? $": {Dht(dht)}" : " off")}";

    /// <summary>On the local links.</summary>
    public static string Near(DiscoveryView view) => $"{Lan(view.Lan)}; {Mdns(view.Mdns)}";

    public static string Dht(DhtView dht) => dht switch
    {
        { Problem: { } problem } => $"{problem.Code}: {problem.Message}",
        { ToldAt: null } => "nothing told yet",
        _ => $"{Count(dht.Told, "device")} of {dht.Devices} can find this one, told {Durations.Age(TimeProvider.System.GetUtcNow() - dht.ToldAt.Value)} ago; {Count(dht.Nodes, "node")}{(dht.Nodes6 > 0 ? $" ({dht.Nodes6} of IPv6)" : "")}, {dht.Found} found",
    };

    private static string Lan(LanView? lan) => lan switch
    {
        null => "announcements off",
        { Interfaces: 0 } => $"announced nowhere{(lan.Problem is { } why ? $": {why}" : ": no local network")}",
        _ => $"announced on {Count(lan.Interfaces, "address")}, {lan.Heard} heard",
    };

    private static string Mdns(MdnsView? mdns) => mdns switch
    {
        null => "mDNS off",
        { Interfaces: 0 } => $"mDNS nowhere{(mdns.Problem is { } why ? $": {why}" : "")}",
        _ => $"mDNS on {mdns.Shown} of {mdns.Interfaces}, {mdns.Found} found",
    };

    private static string Count(int count, string what) => $"{count} {what}{(count == 1 ? "" : what.EndsWith('s') ? "es" : "s")}";
}
