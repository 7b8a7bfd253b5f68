using System.Buffers.Binary;
using System.Net;
using AgentMesh.Protocol.Packets;

namespace AgentMesh.Protocol.Relaying;

/// <summary>
/// "From where did this come?", and the answer: docs/protocol/beacon-v1.md, "Observer".
/// <code>
/// question  1 0x86 | 16 ticket | 8 nonce | 1 what | 2 port that is answered to where what is 2, else zeros | 16 zeros
///           what: 0 answer; 1 answer from another port; 2 answer to another port of the address that this comes from
/// answer    1 0x87 | 8 nonce | 19 address
/// </code>
/// </summary>
public static class ObserverMessages
{
    public const int QuestionBytes = 1 + 16 + sizeof(ulong) + 1 + 18;
    public const int AnswerBytes = 1 + sizeof(ulong) + WireAddress.Size;

    private const int NonceAt = 17;
    private const int FlagAt = 25;
    private const int AnswerToAt = 26;
    private const byte ToOtherPort = 2;

    /// <param name="answerTo">The port that the answer is to go to; 0: the one that the question comes from.</param>
    public static byte[] Question(UInt128 ticket, ulong nonce, bool fromOtherPort, ushort answerTo = 0)
    {
        byte[] bytes = new byte[QuestionBytes];
        bytes[0] = (byte)DatagramKind.ObserverQuestion;
        BinaryPrimitives.WriteUInt128BigEndian(bytes.AsSpan(1), ticket);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(NonceAt), nonce);
        bytes[FlagAt] = answerTo != 0 ? ToOtherPort : fromOtherPort ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(AnswerToAt), answerTo);
        return bytes;
    }

    /// <inheritdoc cref="Question"/>
    public static bool TryReadQuestion(ReadOnlySpan<byte> bytes, out UInt128 ticket, out ulong nonce, out bool fromOtherPort, out ushort answerTo)
    {
        bool isQuestion = bytes.Length == QuestionBytes && bytes[0] == (byte)DatagramKind.ObserverQuestion && bytes[FlagAt] <= ToOtherPort && !bytes[(AnswerToAt + sizeof(ushort))..].ContainsAnyExcept((byte)0);
        answerTo = isQuestion ? BinaryPrimitives.ReadUInt16BigEndian(bytes[AnswerToAt..]) : (ushort)0;
        isQuestion = isQuestion && (answerTo != 0) == (bytes[FlagAt] == ToOtherPort);
        answerTo = isQuestion ? answerTo : (ushort)0;
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
