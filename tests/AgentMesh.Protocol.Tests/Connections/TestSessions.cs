using System.Net;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>Both sides of a session as a handshake would leave them, from fixed secrets.</summary>
internal static class TestSessions
{
    public static readonly TimeSpan Start = TimeSpan.FromSeconds(1000);

    public static PacketProtector Protector(bool isInitiator, RekeySettings? rekey = null, CipherSuite suite = CipherSuite.Aes256Gcm)
    {
        byte[] hash = new byte[32], key1 = new byte[32], key2 = new byte[32];
        var entropy = new SeededEntropy(42);
        entropy.Fill(hash);
        entropy.Fill(key1);
        entropy.Fill(key2);
        return new PacketProtector(KeyChain.FromHandshake(hash, key1, key2), suite, isInitiator, rekey ?? new RekeySettings(), new SeededEntropy(isInitiator ? 1 : 2), Start);
    }

    public static EstablishedSession Of(bool isInitiator, TransportParameters remote, RekeySettings? rekey = null, IPEndPoint? remoteAddress = null)
    {
        byte[] parameters = new byte[TransportParameters.Size];
        remote.Write(parameters);
        ConnectionId local = new(isInitiator ? 0x0a0a0a0aUL : 0x0b0b0b0bUL), other = new(isInitiator ? 0x0b0b0b0bUL : 0x0a0a0a0aUL);
        return new EstablishedSession
        {
            RemoteKey = DeviceIdentity.Create(new SeededEntropy(isInitiator ? 11 : 10)).PublicKey,
            IsInitiator = isInitiator,
            RemoteAddress = remoteAddress ?? new IPEndPoint(IPAddress.Loopback, isInitiator ? 2 : 1),
            LocalConnectionId = local,
            RemoteConnectionId = other,
            Protector = Protector(isInitiator, rekey),
            HandshakeHash = new byte[32],
            RemoteInstance = 1,
            RemoteParameters = parameters,
            EstablishedAt = Start,
        };
    }
}
