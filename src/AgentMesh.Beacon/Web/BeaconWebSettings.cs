using System.Net;
using System.Net.Sockets;

namespace AgentMesh.Beacon.Web;

/// <summary>How a beacon is reached over WebSockets. Immutable.</summary>
public sealed record BeaconWebSettings
{
    public const int DefaultTlsPort = 443;

    /// <summary>Where WebSockets over TLS are served; none: not at all.</summary>
    public IReadOnlyList<IPEndPoint> Tls { get; init; } = [];

    /// <summary>Where they are served without TLS, for a proxy on the same machine that terminates it.</summary>
    public IReadOnlyList<IPEndPoint> Plain { get; init; } = [];

    /// <summary>PEM files with certificate and key; null: one is made at each start, which devices know by the beacon's own key.</summary>
    public (string Certificate, string Key)? Files { get; init; }

    /// <summary>An address of <see cref="Tls"/> that cannot be listened on is left out and not an error.</summary>
    public bool IsTlsOptional { get; init; }

    /// <summary>WebSockets at one time from one address, or one /64; more are refused. Not from loopback: there a proxy stands for all.</summary>
    public int PerAddressMax { get; init; } = 256;

    /// <summary>Port 443 of every address, where it can be had.</summary>
    public static BeaconWebSettings WherePossible { get; } =
        new() { Tls = [new IPEndPoint(Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, DefaultTlsPort)], IsTlsOptional = true };

    public bool IsOff => Tls.Count + Plain.Count == 0;
}
