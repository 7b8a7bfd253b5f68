using System.Buffers.Binary;
using AgentMesh.Protocol.Packets;

namespace AgentMesh.Protocol.Pairing.Codes;

/// <summary>How every message after the question begins (pairing-v1.md), and all that there is of "here" and of a refusal. 36 bytes:</summary>
/// <remarks>
/// <code>
///  0  4  0x90, type, version 1, reason of a refusal or 0
///  4 16  nonce of the joiner's question
/// 20 16  cookie of the inviter
/// </code>
/// </remarks>
internal readonly record struct CodeHead(CodeMessageType Type, byte Detail, UInt128 Nonce, UInt128 Cookie)
{
    public const int Size = 36;
    public const byte Version = 1;

    /// <summary>Bytes 4 to 35: what names an exchange, and the session id of CPace.</summary>
    public const int SessionOffset = 4;

    public static bool IsOf(ReadOnlySpan<byte> datagram, CodeMessageType type) =>
        datagram.Length > 3 && datagram[0] == (byte)DatagramKind.Pairing && datagram[1] == (byte)type && datagram[2] == Version;

    /// <summary>False for a question, an unknown type, another version, or a length that is not the type's.</summary>
    public static bool TryRead(ReadOnlySpan<byte> datagram, out CodeHead head)
    {
        head = default;
        if (datagram.Length < Size || !IsOf(datagram, (CodeMessageType)datagram[1]) || datagram.Length != SizeOf((CodeMessageType)datagram[1]))
        {
            return false;
        }

        head = new CodeHead(
            (CodeMessageType)datagram[1], datagram[3], BinaryPrimitives.ReadUInt128BigEndian(datagram[SessionOffset..]), BinaryPrimitives.ReadUInt128BigEndian(datagram[20..]));
        return true;
    }

    /// <summary>The whole message with everything after the head still to be filled in.</summary>
    public byte[] ToBytes()
    {
        byte[] datagram = new byte[SizeOf(Type)];
        datagram[0] = (byte)DatagramKind.Pairing;
        datagram[1] = (byte)Type;
        datagram[2] = Version;
        datagram[3] = Detail;
        BinaryPrimitives.WriteUInt128BigEndian(datagram.AsSpan(SessionOffset), Nonce);
        BinaryPrimitives.WriteUInt128BigEndian(datagram.AsSpan(20), Cookie);
        return datagram;
    }

    private static int SizeOf(CodeMessageType type) => type switch
    {
        CodeMessageType.Here or CodeMessageType.Refusal => Size,
        CodeMessageType.Start => CodeShares.StartSize,
        CodeMessageType.Share => CodeShares.ShareSize,
        CodeMessageType.Proof => CodeSeals.ProofSize,
        CodeMessageType.Welcome => CodeSeals.WelcomeSize,
        _ => -1,
    };
}
