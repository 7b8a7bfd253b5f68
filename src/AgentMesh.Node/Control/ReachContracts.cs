namespace AgentMesh.Node.Control;

/// <summary>The gateway of this device's network.</summary>
/// <param name="State">mapped, looking, none or no-gateway.</param>
/// <param name="Gateway">Its address; null where there is no default route.</param>
/// <param name="Protocol">pcp, nat-pmp or upnp.</param>
/// <param name="External">Where it passes on to this device; null while it does not.</param>
/// <param name="LifetimeLeftMs">Of the mapping; null where it has none, or never ends. It is renewed long before.</param>
/// <param name="Failures">What came of the other protocols.</param>
/// <param name="Problem">Why nothing is mapped, or why that helps little; null where all is well.</param>
public sealed record GatewayView(
    string State, string? Gateway, string? Protocol, string? External, double? LifetimeLeftMs, IReadOnlyList<GatewayFailureView> Failures, ProblemView? Problem);

public sealed record GatewayFailureView(string Protocol, string Reason);

/// <summary>What the NATs between this device and the internet do, as if they were one, found out with a beacon's observer.</summary>
/// <param name="Kind">none, independent (one outside port of a socket for all), sequential or random (another one for each address that is sent to), or unknown.</param>
/// <param name="Filtering">Who is let in at an outside port: by-address (whom was sent to, from any port; or everybody), by-port (only the very address and port), or unknown.</param>
/// <param name="PortStep">Of sequential: from one outside port to the next.</param>
/// <param name="Hairpin">Devices behind it reach each other by their outside addresses; null when not known.</param>
/// <param name="Outside">Where the beacon sees this device.</param>
/// <param name="Problem">Why some connections stay relayed, or why nothing is known; null where all is well.</param>
public sealed record NatView(string Kind, string Filtering, int? PortStep, bool? Hairpin, string? Outside, ProblemView? Problem)
{
    /// <summary>After so much silence an outside port was still there; null where none was, or before that is known.</summary>
    public double? PortLivesMs { get; init; }

    /// <summary>After so much silence one was gone, the shortest that was tried; null where none was yet.</summary>
    public double? PortDiesMs { get; init; }
}

/// <summary>A STUN server of the settings.</summary>
/// <param name="SeenAt">Where it sees this device; null while it has not answered.</param>
/// <param name="Problem">Why it does not; null where it does, or has not been waited for long enough.</param>
public sealed record StunView(string Server, string? SeenAt, ProblemView? Problem);

/// <summary>The ways to find devices without an address; null for each that is switched off.</summary>
public sealed record DiscoveryView(LanView? Lan, MdnsView? Mdns, DhtView? Dht);

/// <summary>Announcements on the local links.</summary>
/// <param name="Interfaces">Pairs of interface and address family that are taken part on.</param>
/// <param name="Sent">Announcements since the start.</param>
/// <param name="Heard">Those of admitted devices.</param>
/// <param name="Problem">Why none is taken part on; null where some are, or there is none.</param>
public sealed record LanView(int Interfaces, long Sent, long Heard, string? Problem);

/// <summary>mDNS and DNS-SD.</summary>
/// <param name="Shown">Of the interfaces, those on which the name of this device is established.</param>
/// <param name="Found">Hints for devices of the mesh since the start.</param>
/// <param name="Problem">Why it is used on no interface; null where it is, or there is none.</param>
public sealed record MdnsView(int Interfaces, int Shown, long Found, string? Problem);

/// <summary>The DHT.</summary>
/// <param name="Nodes">That answered lately; 0 while none did.</param>
/// <param name="Nodes6">Of them, those of IPv6.</param>
/// <param name="Told">Devices that can find this one there.</param>
/// <param name="Devices">Devices that it is told to.</param>
/// <param name="ToldAt">When, the last time; null before the first.</param>
/// <param name="Found">Addresses of devices that were found since the start.</param>
/// <param name="Problem">Why nobody can find this device there, or that values were refused; null where all is well, or nothing was tried yet.</param>
/// <param name="Refused">Values that were given for devices of this mesh since the start and that none of them has said.</param>
public sealed record DhtView(int Nodes, int Nodes6, int Told, int Devices, DateTimeOffset? ToldAt, long Found, ProblemView? Problem, long Refused = 0);

/// <summary>The beacon that this node is beside.</summary>
/// <param name="Line">For <c>agentmesh.beacons</c> of other devices, with the name or address of this machine for HOST.</param>
/// <param name="Tls">Where it serves WebSockets over TLS; empty where the port was not to be had, or is not wanted.</param>
/// <param name="Devices">Registered now.</param>
/// <param name="Channels">Relayed pairs.</param>
public sealed record BeaconRoleView(string Line, IReadOnlyList<string> Listening, IReadOnlyList<string> Tls, int Devices, int Channels, long BytesRelayed);

/// <summary>A TURN server of the settings.</summary>
/// <param name="Relayed">The address at which it passes on to this device; null while there is none.</param>
/// <param name="SeenAt">Where it sees the socket that is for it.</param>
/// <param name="Permissions">IP addresses that it lets through, at most 128.</param>
/// <param name="Channels">Addresses with a channel, at most 64.</param>
/// <param name="Peers">Addresses that are spoken with over it, at most 256.</param>
/// <param name="Problem">Why there is none; null where there is, or has not been waited for long enough.</param>
public sealed record TurnView(string Server, string? Relayed, string? SeenAt, int Permissions, int Channels, int Peers, ProblemView? Problem);
