using System.Buffers.Binary;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Noise;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Pairing;

namespace AgentMesh.Protocol.Handshake;

/// <summary>
/// The first message. 236 bytes: below every network's limit, and longer than any answer to it.
/// <code>
///   0  type 0x81 | version 1 | suite | 0
///   4  connection id of the initiator, 8
///  12  ephemeral key, 32
///  44  static key, sealed, 48
///  92  payload, sealed, 112
/// 204  mac1, 16
/// 220  mac2, 16 (zeros without a cookie)
/// </code>
/// </summary>
internal static class InitiationMessage
{
    public const byte Version = 1;
    public const int HeaderBytes = 4 + ConnectionId.Size;
    public const int NoiseBytes = X25519.KeyBytes + X25519.KeyBytes + Aead.TagBytes + InitiationPayload.Size + Aead.TagBytes;
    public const int Mac1Offset = HeaderBytes + NoiseBytes;
    public const int Mac2Offset = Mac1Offset + HandshakeMacs.MacBytes;
    public const int Size = Mac2Offset + HandshakeMacs.MacBytes;

    private static ReadOnlySpan<byte> PrologueLabel => "agentmesh handshake 1"u8;

    public static void WriteHeader(Span<byte> message, CipherSuite suite, ConnectionId source)
    {
        message[0] = (byte)DatagramKind.Initiation;
        message[1] = Version;
        message[2] = (byte)suite;
        message[3] = 0;
        source.Write(message[4..]);
    }

    /// <summary>Looks at length and header only.</summary>
    public static bool TryReadHeader(ReadOnlySpan<byte> message, out CipherSuite suite, out ConnectionId source)
    {
        suite = default;
        source = default;
        if (message.Length != Size || message[0] != (byte)DatagramKind.Initiation || message[1] != Version || message[3] != 0)
        {
            return false;
        }

        suite = (CipherSuite)message[2];
        source = ConnectionId.Read(message[4..]);
        return CipherSuites.IsUsable(suite);
    }

    /// <summary>The header is part of the transcript, so that suite and version cannot be changed on the way.</summary>
    public static byte[] Prologue(ReadOnlySpan<byte> message) => [.. PrologueLabel, .. message[..HeaderBytes]];

    public static ReadOnlySpan<byte> Noise(ReadOnlySpan<byte> message) => message.Slice(HeaderBytes, NoiseBytes);
}

/// <summary>Ed25519 key 32, stamp 8, instance 8, invitation id 16 (zeros without one), transport parameters 32.</summary>
internal readonly record struct InitiationPayload(DevicePublicKey Key, ulong Stamp, ulong Instance, InvitationId Invitation, ReadOnlyMemory<byte> Parameters)
{
    public const int Size = DevicePublicKey.Size + sizeof(ulong) + sizeof(ulong) + InvitationId.Size + HandshakeEndpoint.ParametersBytes;

    public static InitiationPayload Read(ReadOnlySpan<byte> source) => new(
        new DevicePublicKey(source[..32]),
        BinaryPrimitives.ReadUInt64BigEndian(source[32..]),
        BinaryPrimitives.ReadUInt64BigEndian(source[40..]),
        InvitationId.Read(source[48..]),
        source.Slice(64, HandshakeEndpoint.ParametersBytes).ToArray());

    public void Write(Span<byte> destination)
    {
        Key.Span.CopyTo(destination);
        BinaryPrimitives.WriteUInt64BigEndian(destination[32..], Stamp);
        BinaryPrimitives.WriteUInt64BigEndian(destination[40..], Instance);
        Invitation.Write(destination[48..]);
        Parameters.Span.CopyTo(destination[64..]);
    }
}
