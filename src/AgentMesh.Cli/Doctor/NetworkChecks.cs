using System.Net;
using AgentMesh.Cli.Verbs;
using AgentMesh.Node.Control;

namespace AgentMesh.Cli.Doctor;

/// <summary>Port, buffers, addresses and clocks.</summary>
internal static class NetworkChecks
{
    public const string RaiseBuffer = "sudo sysctl -w net.core.rmem_max=4194304 net.core.wmem_max=4194304, and the same in /etc/sysctl.d/agentmesh.conf; then agentmesh down && agentmesh up --detach";

    /// <summary>Beyond it times of schedules and of logs on two devices do not fit together.</summary>
    public static readonly TimeSpan ClockWarn = TimeSpan.FromSeconds(2);

    public static DoctorCheck Connections(ConnectionsView view) => view is { Incoming: "none", AutoConnect: false, Exceptions.Count: 0 }
        ? DoctorCheck.Warn("connections", $"{ConnectionsLines.Of(view)}: it has none but those that 'agentmesh connect' makes", "agentmesh config set link.auto-connect on, or agentmesh config set link.incoming known")
        : DoctorCheck.Ok("connections", ConnectionsLines.Of(view));

    public static DoctorCheck Bound(IReadOnlyList<string> listening) => listening.Count > 0
        ? DoctorCheck.Ok("udp port", $"listening on {string.Join(", ", listening)}")
        : DoctorCheck.Fail("udp port", "the node listens on no address", "name one with agentmesh.listen.hosts, or: agentmesh down && agentmesh up --detach --listen 0.0.0.0 ::");

    /// <summary>Without a node: whether one could have its port.</summary>
    /// <param name="problem">Why the port cannot be bound; null when it can.</param>
    public static DoctorCheck Free(IPEndPoint wanted, string? problem) => problem is null
        ? DoctorCheck.Ok("udp port", wanted.Port == 0 ? "any free one is taken when the node starts" : $"{wanted} is free")
        : DoctorCheck.Fail("udp port", $"{wanted} cannot be used: {problem}", $"see who has it: ss -ulpn 'sport = :{wanted.Port}'; or take another: agentmesh up --detach --port 0");

    /// <param name="most">What the system gives a socket at most.</param>
    public static DoctorCheck ReceiveBuffer(long most, long wanted) => most >= wanted
        ? DoctorCheck.Ok("receive buffer", $"{Text.Size(wanted)} for each socket")
        : DoctorCheck.Warn("receive buffer", $"the system gives at most {Text.Size(most)} for each socket, {Text.Size(wanted)} are asked for: bursts are lost", RaiseBuffer);

    public static DoctorCheck Announced(IReadOnlyList<string> addresses)
    {
        const string name = "addresses";
        if (addresses.Count == 0)
        {
            return DoctorCheck.Fail(name, "none is known at which others could reach this device", "connect it to a network (ip addr), or set agentmesh.announce.host");
        }

        return addresses.All(IsLoopback)
            ? DoctorCheck.Warn(name, $"only {string.Join(", ", addresses)}: other machines cannot reach it", "agentmesh down && agentmesh up --detach --listen 0.0.0.0 ::")
            : DoctorCheck.Ok(name, string.Join(", ", addresses));
    }

    /// <param name="offsets">Device, how far its clock is ahead, and the round trip with which that was measured.</param>
    public static DoctorCheck Clock(IReadOnlyList<(string Device, TimeSpan Ahead, TimeSpan RoundTrip)> offsets)
    {
        const string name = "clock";
        (string Device, TimeSpan Ahead, TimeSpan RoundTrip)[] apart = [.. offsets.Where(offset => offset.Ahead.Duration() - (offset.RoundTrip / 2) > ClockWarn)];
        return apart.Length == 0
            ? DoctorCheck.Ok(name, $"as that of {string.Join(", ", offsets.Select(offset => offset.Device))}, within {Text.Milliseconds(offsets.Max(offset => offset.Ahead.Duration()).TotalMilliseconds)}")
            : DoctorCheck.Warn(name, string.Join(", ", apart.Select(offset => $"the clock of {offset.Device} is {Shown(offset.Ahead)}")), "let the machines keep the time, here and there: sudo timedatectl set-ntp true");
    }

    public static DoctorCheck Beacon(BeaconView beacon) => beacon switch
    {
        { Transport: "wss" } => DoctorCheck.Warn(
            $"beacon {beacon.Address}", $"UDP blocked: it answers by WebSocket only, {beacon.Devices} device{(beacon.Devices == 1 ? "" : "s")} there{(beacon.Dropped > 0 ? $"; it dropped {beacon.Dropped} datagrams because this device sent more than it relays" : "")}",
            "everything works, relayed and slower; let UDP out to the beacon's port for direct paths"),
        { SeenAt: null, Transport: null } => DoctorCheck.Warn($"beacon {beacon.Address}", beacon.Problem?.Message ?? "not registered yet", beacon.Problem?.Next ?? "wait a moment and try again"),
        { Dropped: > 0 } => DoctorCheck.Warn($"beacon {beacon.Address}", $"registered, seen at {beacon.SeenAt}; it dropped {beacon.Dropped} datagrams because this device sent more than it relays", "ask who runs it for a higher --rate, or help a direct path: 'agentmesh peers' says why a path is relayed"),
        _ => DoctorCheck.Ok($"beacon {beacon.Address}", $"registered, seen at {beacon.SeenAt}, {beacon.Devices} device{(beacon.Devices == 1 ? "" : "s")} there"),
    };

    public static DoctorCheck Nat(NatView nat) => nat.Problem is { } problem
        ? DoctorCheck.Warn("nat", nat.Kind == "unknown" ? problem.Message : $"{NatLines.Of(nat)}: {problem.Message}", problem.Next ?? $"see docs/errors/{problem.Code}.md") with { Code = problem.Code }
        : DoctorCheck.Ok("nat", NatLines.Of(nat));

    /// <summary>A router that maps nothing is no fault: most connections become direct without it.</summary>
    public static DoctorCheck Gateway(GatewayView gateway) => gateway switch
    {
        { Problem: { Code: not "AM0164" } problem } => DoctorCheck.Warn("gateway", problem.Message, problem.Next ?? $"see docs/errors/{problem.Code}.md"),
        _ => DoctorCheck.Ok("gateway", GatewayLines.Of(gateway)),
    };

    /// <param name="servers">At least one.</param>
    public static DoctorCheck Stun(IReadOnlyList<StunView> servers)
    {
        string[] seen = [.. servers.Select(server => server.SeenAt).OfType<string>()];
        string[] places = [.. seen.Distinct()];
        if (servers.FirstOrDefault(server => server.Problem is not null)?.Problem is { } problem)
        {
            return DoctorCheck.Warn("stun", problem.Message, problem.Next ?? $"see docs/errors/{problem.Code}.md");
        }

        return places.Length switch
        {
            0 => DoctorCheck.Ok("stun", "the servers are being asked"),
            1 => DoctorCheck.Ok("stun", $"{seen.Length} of {servers.Count} see this device at {places[0]}"),
            _ => DoctorCheck.Ok("stun", $"seen at {string.Join(", ", places)}: the NAT takes another port or address for each destination"),
        };
    }

    /// <summary>Only what is switched on. Without a local network nothing is wrong.</summary>
    public static IEnumerable<DoctorCheck> Discovery(DiscoveryView view)
    {
        if (view.Lan is not null || view.Mdns is not null)
        {
            yield return (view.Lan?.Problem ?? view.Mdns?.Problem) is { } why
                ? DoctorCheck.Warn("discovery", why, "end what holds the port, or choose another one (agentmesh.discovery.lan.port, the same on every device) or agentmesh.discovery.lan.mdns = off")
                : DoctorCheck.Ok("discovery", DiscoveryLines.Near(view));
        }

        if (view.Dht is { } dht)
        {
            yield return dht.Problem is { } problem
                ? DoctorCheck.Warn("dht", problem.Message, problem.Next ?? $"see docs/errors/{problem.Code}.md") with { Code = problem.Code }
                : DoctorCheck.Ok("dht", DiscoveryLines.Dht(dht));
        }
    }

    public static DoctorCheck Turn(TurnView turn) => turn.Problem is { } problem
        ? DoctorCheck.Warn($"turn {turn.Server}", problem.Message, problem.Next ?? $"see docs/errors/{problem.Code}.md") with { Code = problem.Code }
        : DoctorCheck.Ok($"turn {turn.Server}", TurnLine(turn));

    public static string TurnLine(TurnView turn) => turn switch
    {
        { Problem: { } problem } => $"{problem.Code}: {problem.Message}",
        { Relayed: { } address } => $"passes on {address}{(turn.Permissions == 0 ? "" : $", lets {turn.Permissions} IP address{(turn.Permissions == 1 ? "" : "es")} through")}",
        _ => "being asked",
    };

    private static string Shown(TimeSpan ahead) => $"{Durations.Age(ahead.Duration())} {(ahead > TimeSpan.Zero ? "ahead" : "behind")}";

    private static bool IsLoopback(string address) => IPEndPoint.TryParse(address, out IPEndPoint? parsed) && IPAddress.IsLoopback(parsed.Address);
}
