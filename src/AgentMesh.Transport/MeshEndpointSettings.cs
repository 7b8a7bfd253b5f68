using System.Net;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Streams;

namespace AgentMesh.Transport;

/// <summary>How a <see cref="MeshEndpoint"/> listens and what its connections may use. Immutable.</summary>
public sealed record MeshEndpointSettings
{
    /// <summary>Local addresses, port 0 for any free one. At most one socket for each; the first of a family sends.</summary>
    public IReadOnlyList<IPEndPoint> Listen { get; init; } = [new(IPAddress.Any, 0), new(IPAddress.IPv6Any, 0)];

    /// <summary>How connections behave; what the other side may send at first follows from <see cref="BytesPerSecondReceivedMax"/>.</summary>
    public ConnectionSettings Connection
    {
        get => field with { ClassCredit = ReceiveLimit.FirstCredit(BytesPerSecondReceivedMax, field.ClassCredit) };
        init;
    } = new();

    /// <summary>As <see cref="MeshEndpoint.BytesPerSecondReceivedMax"/>, when the endpoint opens.</summary>
    public long BytesPerSecondReceivedMax { get; init; }

    public HandshakeSettings Handshake { get; init; } = new();

    public MtuSettings Mtu { get; init; } = new();

    /// <summary>Many datagrams go with one call of the operating system where it can (Linux: UDP_SEGMENT, UDP_GRO).</summary>
    public bool Offload { get; init; } = true;

    /// <summary>Asked of the operating system for each socket and direction; it may give less.</summary>
    public int SocketBufferBytes { get; init; } = 4 * 1024 * 1024;
}
