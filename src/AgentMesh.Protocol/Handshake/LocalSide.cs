using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Noise;
using AgentMesh.Protocol.Packets;

namespace AgentMesh.Protocol.Handshake;

/// <summary>What all handshakes of this device share.</summary>
internal sealed record LocalSide(DeviceIdentity Identity, HandshakeSettings Settings, ReadOnlyMemory<byte> Parameters, ulong Instance, IEntropy Entropy)
{
    public HandshakeMacs Macs { get; } = new(Identity.PublicKey);

    public OwnConnectionIds ConnectionIds { get; } = new(Identity, Entropy);

    public ConnectionId NextConnectionId()
    {
        if (Settings.AnswersForgotten)
        {
            return ConnectionIds.Next();
        }

        Span<byte> random = stackalloc byte[ConnectionId.Size];
        Entropy.Fill(random);
        return ConnectionId.Read(random);
    }

    /// <summary>What the other side is told in the handshake: the parameters, and the secret of the connection id that it is to send to.</summary>
    public ReadOnlyMemory<byte> ParametersFor(ConnectionId own)
    {
        if (!Settings.AnswersForgotten)
        {
            return Parameters;
        }

        byte[] parameters = Parameters.ToArray();
        ConnectionIds.WriteResetToken(own, parameters.AsSpan(HandshakeEndpoint.ResetTokenOffset));
        return parameters;
    }

    /// <summary>Turns a complete handshake into packet keys.</summary>
    /// <param name="own">The connection id of packets to this side.</param>
    public PacketProtector Protect(HandshakeState noise, CipherSuite suite, bool isInitiator, ConnectionId own, ConnectionId remote, TimeSpan now)
    {
        Span<byte> initiatorKey = stackalloc byte[Aead.KeyBytes];
        Span<byte> responderKey = stackalloc byte[Aead.KeyBytes];
        noise.Split(initiatorKey, responderKey);
        KeyChain chain = KeyChain.FromHandshake(noise.HandshakeHash, initiatorKey, responderKey);
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(initiatorKey);
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(responderKey);
        (ConnectionId toInitiator, ConnectionId toResponder) = isInitiator ? (own, remote) : (remote, own);
        return new PacketProtector(
            chain, suite, isInitiator, Settings.Rekey, Entropy, now, Settings.KeyLog is { } log ? keys => log.Add(toInitiator, toResponder, suite, keys.Epoch, keys.Chain.Reveal()) : null);
    }
}
