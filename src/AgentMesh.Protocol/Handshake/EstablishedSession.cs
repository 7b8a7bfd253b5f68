using System.Net;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Pairing;

namespace AgentMesh.Protocol.Handshake;

/// <summary>The outcome of a complete handshake: everything that a connection needs to start.</summary>
public sealed record EstablishedSession
{
    public required DevicePublicKey RemoteKey { get; init; }

    /// <summary>True where this device opened. It must send a packet at once: the other side only starts when it has one.</summary>
    public required bool IsInitiator { get; init; }

    /// <summary>Where the other side answered from, or where its first packet came from. Proven to receive.</summary>
    public required IPEndPoint RemoteAddress { get; init; }

    /// <summary>Packets to this device carry it.</summary>
    public required ConnectionId LocalConnectionId { get; init; }

    /// <summary>Packets to the other device carry it.</summary>
    public required ConnectionId RemoteConnectionId { get; init; }

    /// <summary>The connection owns it and disposes it.</summary>
    public required IPacketProtector Protector { get; init; }

    /// <summary>32 bytes that only the two sides of this very handshake share; fit for channel binding.</summary>
    public required ReadOnlyMemory<byte> HandshakeHash { get; init; }

    /// <summary>Random per process of the other device: another value means that it was restarted.</summary>
    public required ulong RemoteInstance { get; init; }

    /// <summary>What the other connection said about itself: <see cref="HandshakeEndpoint.ParametersBytes"/> bytes.</summary>
    public required ReadOnlyMemory<byte> RemoteParameters { get; init; }

    /// <summary>The invitation that this handshake used up; none between devices that know each other.</summary>
    public InvitationId Invitation { get; init; }

    public TimeSpan EstablishedAt { get; init; }

    /// <summary>What both people compare while pairing. Slow: see <see cref="CheckDigits.Of"/>.</summary>
    public CheckDigits ComputeCheckDigits() => CheckDigits.Of(HandshakeHash.Span);

    internal EstablishedSession Established(IPEndPoint from, TimeSpan now) => this with { RemoteAddress = from, EstablishedAt = now };
}
