using AgentMesh.Protocol.Packets;

namespace AgentMesh.Protocol.Handshake;

/// <summary>
/// "I do not know this session any more", in answer to a packet of it. Shorter than every packet.
/// <code>
/// 0  0x89
/// 1  connection id of the packet, 8
/// 9  the secret that belongs to it, 16
/// </code>
/// </summary>
internal static class ResetMessage
{
    public const int Size = TokenOffset + OwnConnectionIds.ResetTokenBytes;

    private const int TokenOffset = 1 + ConnectionId.Size;

    public static byte[] Write(ConnectionId id, OwnConnectionIds ids)
    {
        byte[] message = new byte[Size];
        message[0] = (byte)DatagramKind.Reset;
        id.Write(message.AsSpan(1));
        ids.WriteResetToken(id, message.AsSpan(TokenOffset));
        return message;
    }

    /// <param name="id">To which the sender of the packet that is answered had sent.</param>
    public static bool TryRead(ReadOnlySpan<byte> datagram, out ConnectionId id, out ReadOnlySpan<byte> token)
    {
        if (datagram.Length != Size || datagram[0] != (byte)DatagramKind.Reset)
        {
            id = default;
            token = default;
            return false;
        }

        id = ConnectionId.Read(datagram[1..]);
        token = datagram[TokenOffset..];
        return true;
    }
}
