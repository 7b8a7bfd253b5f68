using System.Buffers.Binary;
using System.Net;
using AgentMesh.Protocol.Packets;

namespace AgentMesh.Protocol.Relaying;

/// <summary>
/// "From where did this come?", and the answer: docs/protocol/beacon-v1.md, "Observer".
/// <code>
/// question  1 0x86 | 16 ticket | 8 nonce | 1 answer from another port | 18 zeros
/// answer    1 0x87 | 8 nonce | 19 address
/// </code>
/// </summary>
public static class ObserverMessages
{
    public const int QuestionBytes = 1 + 16 + sizeof(ulong) + 1 + 18;
    public const int AnswerBytes = 1 + sizeof(ulong) + WireAddress.Size;

    private const int NonceAt = 17;
    private const int FlagAt = 25;

    public static byte[] Question(UInt128 ticket, ulong nonce, bool fromOtherPort)
    {
        byte[] bytes = new byte[QuestionBytes];
        bytes[0] = (byte)DatagramKind.ObserverQuestion;
        BinaryPrimitives.WriteUInt128BigEndian(bytes.AsSpan(1), ticket);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(NonceAt), nonce);
        bytes[FlagAt] = fromOtherPort ? (byte)1 : (byte)0;
        return bytes;
    }

    public static bool TryReadQuestion(ReadOnlySpan<byte> bytes, out UInt128 ticket, out ulong nonce, out bool fromOtherPort)
    {
        bool isQuestion = bytes.Length == QuestionBytes && bytes[0] == (byte)DatagramKind.ObserverQuestion && bytes[FlagAt] <= 1 && !bytes[(FlagAt + 1)..].ContainsAnyExcept((byte)0);
        ticket = isQuestion ? BinaryPrimitives.ReadUInt128BigEndian(bytes[1..]) : 0;
        nonce = isQuestion ? BinaryPrimitives.ReadUInt64BigEndian(bytes[NonceAt..]) : 0;
        fromOtherPort = isQuestion && bytes[FlagAt] == 1;
        return isQuestion;
    }

    public static byte[] Answer(ulong nonce, IPEndPoint seen)
    {
        byte[] bytes = new byte[AnswerBytes];
        bytes[0] = (byte)DatagramKind.ObserverAnswer;
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(1), nonce);
        WireAddress.Write(bytes.AsSpan(9), seen);
        return bytes;
    }

    /// <returns>Null for bytes that break the rules.</returns>
    public static IPEndPoint? TryReadAnswer(ReadOnlySpan<byte> bytes, out ulong nonce)
    {
        nonce = 0;
        if (bytes.Length != AnswerBytes || bytes[0] != (byte)DatagramKind.ObserverAnswer)
        {
            return null;
        }

        nonce = BinaryPrimitives.ReadUInt64BigEndian(bytes[1..]);
        return WireAddress.TryRead(bytes[9..]);
    }
}
