using System.Buffers.Binary;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Packets;

namespace AgentMesh.Protocol.Handshake;

/// <summary>
/// The answer to an initiation, 125 bytes.
/// <code>
///   0  type 0x82 | version 1 | 0 | 0
///   4  connection id of the initiator, 8
///  12  ephemeral key, 32
///  44  payload, sealed, 65
/// 109  mac1, keyed with the initiator's public key, 16
/// </code>
/// </summary>
internal static class ResponseMessage
{
    public const int HeaderBytes = 4 + ConnectionId.Size;
    public const int NoiseBytes = X25519.KeyBytes + ResponsePayload.Size + Aead.TagBytes;
    public const int Mac1Offset = HeaderBytes + NoiseBytes;
    public const int Size = Mac1Offset + HandshakeMacs.MacBytes;

    public static void WriteHeader(Span<byte> message, ConnectionId destination)
    {
        message[0] = (byte)DatagramKind.Response;
        message[1] = InitiationMessage.Version;
        message[2] = 0;
        message[3] = 0;
        destination.Write(message[4..]);
    }

    public static bool TryReadHeader(ReadOnlySpan<byte> message, out ConnectionId destination)
    {
        destination = default;
        if (message.Length != Size || message[0] != (byte)DatagramKind.Response || message[1] != InitiationMessage.Version || message[2] != 0 || message[3] != 0)
        {
            return false;
        }

        destination = ConnectionId.Read(message[4..]);
        return true;
    }

    public static ReadOnlySpan<byte> Noise(ReadOnlySpan<byte> message) => message.Slice(HeaderBytes, NoiseBytes);
}

/// <summary>Status 1 (0 accepted, 1 invitation used, 2 invitation expired), connection id of the responder 8, instance 8, transport parameters 32.</summary>
internal readonly record struct ResponsePayload(InvitationStatus Status, ConnectionId Source, ulong Instance, ReadOnlyMemory<byte> Parameters)
{
    public const int Size = 1 + ConnectionId.Size + sizeof(ulong) + HandshakeEndpoint.ParametersBytes;

    public static ResponsePayload Read(ReadOnlySpan<byte> source) => new(
        (InvitationStatus)source[0],
        ConnectionId.Read(source[1..]),
        BinaryPrimitives.ReadUInt64BigEndian(source[9..]),
        source.Slice(17, HandshakeEndpoint.ParametersBytes).ToArray());

    public void Write(Span<byte> destination)
    {
        destination[0] = (byte)Status;
        Source.Write(destination[1..]);
        BinaryPrimitives.WriteUInt64BigEndian(destination[9..], Instance);
        Parameters.Span.CopyTo(destination[17..]);
    }
}
