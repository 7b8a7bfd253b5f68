using System.Net;

namespace AgentMesh.Transport.Discovery;

/// <summary>How devices on the same link find each other. Immutable.</summary>
public sealed record LanDiscoverySettings
{
    /// <summary>239.255.0.0/16 is for local use (RFC 2365); the rest is the beginning of SHA-256("agentmesh lan").</summary>
    public static readonly IPAddress Group4 = IPAddress.Parse("239.255.150.142");

    /// <summary>Transient, link-local (RFC 4291), with a group id of the free half (RFC 3307).</summary>
    public static readonly IPAddress Group6 = IPAddress.Parse("ff12::968e:496f");

    /// <summary>The UDP port of the groups: the same on every device of a mesh.</summary>
    public int Port { get; init; } = 14591;

    /// <summary>A shorter <see cref="Interval"/> counts as this.</summary>
    public static readonly TimeSpan IntervalMin = TimeSpan.FromSeconds(1);

    /// <summary>Mean time between announcements that nobody asked for.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(60);
}

/// <summary>Datagrams on the port of announcements since the start, and announcements sent.</summary>
/// <param name="Strangers">Of nobody who is admitted: other meshes, this device's own, noise.</param>
/// <param name="Limited">Above an allowance.</param>
/// <param name="Forged">Wrong MAC, signature or source address.</param>
/// <param name="Interfaces">Pairs of interface and address family in use now.</param>
/// <param name="OpenFailures">An interface could not be used, because the port is taken or it had just gone. It is tried again.</param>
public readonly record struct LanCounters(
    long Accepted, long Malformed, long Strangers, long Limited, long Forged, long Replayed, long Sent, long SendFailures, int Interfaces, long OpenFailures);
