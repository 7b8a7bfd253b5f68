namespace AgentMesh.Transport.Udp;

/// <summary>What the operating system said to a datagram. Datagrams may be lost at any time, so nobody needs to know, but for the length.</summary>
internal enum SendOutcome : byte
{
    Sent = 0,

    /// <summary>No route, a firewall, a closed socket.</summary>
    Refused,

    /// <summary>Longer than the first link of the path carries.</summary>
    TooLong,
}
