using System.Buffers.Binary;
using AgentMesh.Protocol.Packets;

namespace AgentMesh.Protocol.Pairing.Codes;

/// <summary>"Who made the code that begins with this word?" (pairing-v1.md). 64 bytes, longer than its answer:</summary>
/// <remarks>
/// <code>
///  0  4  0x90, 1, version 1, 0
///  4  2  UDP port to answer to; 0: where it came from
///  6  2  nameplate, below 1,024
///  8 16  nonce
/// 24 40  zeros
/// </code>
/// </remarks>
internal readonly record struct CodeQuestion(ushort Port, ushort Nameplate, UInt128 Nonce)
{
    public const int Size = 64;

    public static bool TryRead(ReadOnlySpan<byte> datagram, out CodeQuestion question)
    {
        question = default;
        if (datagram.Length != Size || !CodeHead.IsOf(datagram, CodeMessageType.Question))
        {
            return false;
        }

        question = new CodeQuestion(
            BinaryPrimitives.ReadUInt16BigEndian(datagram[4..]), BinaryPrimitives.ReadUInt16BigEndian(datagram[6..]), BinaryPrimitives.ReadUInt128BigEndian(datagram[8..]));
        return question.Nameplate < CodeWords.Count;
    }

    public byte[] ToBytes()
    {
        byte[] datagram = new byte[Size];
        datagram[0] = (byte)DatagramKind.Pairing;
        datagram[1] = (byte)CodeMessageType.Question;
        datagram[2] = CodeHead.Version;
        BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(4), Port);
        BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(6), Nameplate);
        BinaryPrimitives.WriteUInt128BigEndian(datagram.AsSpan(8), Nonce);
        return datagram;
    }
}
