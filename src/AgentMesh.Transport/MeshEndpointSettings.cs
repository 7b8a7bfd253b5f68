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

    /// <summary>
    /// Greatest datagram to other machines. 1,232 bytes go through every IPv6 link; a search for the greatest that a path takes may raise it per path.
    /// </summary>
    public int DatagramBytes { get; init; } = 1232;

    /// <summary>Greatest datagram within this machine, where nothing is lost for being long.</summary>
    public int LoopbackDatagramBytes { get; init; } = 16 * 1024;

    /// <summary>Many datagrams go with one call of the operating system where it can (Linux: UDP_SEGMENT, UDP_GRO).</summary>
    public bool Offload { get; init; } = true;

    /// <summary>Asked of the operating system for each socket and direction; it may give less.</summary>
    public int SocketBufferBytes { get; init; } = 4 * 1024 * 1024;
}
