using System.Net;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Handshake;

namespace AgentMesh.Transport;

/// <summary>How a <see cref="MeshEndpoint"/> listens and what its connections may use. Immutable.</summary>
public sealed record MeshEndpointSettings
{
    /// <summary>Local addresses, port 0 for any free one. At most one socket for each; the first of a family sends.</summary>
    public IReadOnlyList<IPEndPoint> Listen { get; init; } = [new(IPAddress.Any, 0), new(IPAddress.IPv6Any, 0)];

    public ConnectionSettings Connection { get; init; } = new();

    public HandshakeSettings Handshake { get; init; } = new();

    public MtuSettings Mtu { get; init; } = new();

    /// <summary>Many datagrams go with one call of the operating system where it can (Linux: UDP_SEGMENT, UDP_GRO).</summary>
    public bool Offload { get; init; } = true;

    /// <summary>Asked of the operating system for each socket and direction; it may give less.</summary>
    public int SocketBufferBytes { get; init; } = 4 * 1024 * 1024;
}
