using System.Buffers.Binary;

namespace AgentMesh.Protocol.Stun;

/// <summary>
/// A STUN message (RFC 8489, section 5) in bytes that somebody else owns.
/// <code>
/// 2 type (two zero bits, method and class) | 2 length of the attributes | 4 magic cookie | 12 transaction id
/// attribute: 2 type | 2 length | value, padded to four
/// </code>
/// </summary>
public readonly ref struct StunMessage
{
    public const int HeaderBytes = 20;
    public const uint MagicCookie = 0x2112A442;

    /// <summary>More attributes are not looked at, and the message is dropped.</summary>
    public const int AttributesMax = 64;

    private readonly ReadOnlySpan<byte> _bytes;

    private StunMessage(ReadOnlySpan<byte> bytes, StunType type, StunTransactionId transaction)
    {
        _bytes = bytes;
        Type = type;
        Transaction = transaction;
    }

    public StunType Type { get; }

    public StunTransactionId Transaction { get; }

    /// <summary>It may be a STUN message: the first two bits are zero and the magic cookie is in its place.</summary>
    public static bool IsLikely(ReadOnlySpan<byte> datagram) =>
        datagram.Length >= HeaderBytes && datagram[0] < 0x40 && BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]) == MagicCookie;

    /// <summary>False unless header, length and every attribute fit into each other exactly, and the fingerprint is right where there is one.</summary>
    public static bool TryRead(ReadOnlySpan<byte> datagram, out StunMessage message)
    {
        message = default;
        if (!IsLikely(datagram) || BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]) is var length && (length % 4 != 0 || length != datagram.Length - HeaderBytes))
        {
            return false;
        }

        int count = 0;
        for (int at = HeaderBytes; at < datagram.Length;)
        {
            if (datagram.Length - at < 4 || ++count > AttributesMax)
            {
                return false;
            }

            int value = BinaryPrimitives.ReadUInt16BigEndian(datagram[(at + 2)..]), next = at + 4 + Padded(value);
            if (next > datagram.Length)
            {
                return false;
            }

            if (BinaryPrimitives.ReadUInt16BigEndian(datagram[at..]) == (ushort)StunAttribute.Fingerprint && !(value == 4 && next == datagram.Length && StunFingerprint.IsRight(datagram)))
            {
                return false;
            }

            at = next;
        }

        message = new StunMessage(datagram, (StunType)BinaryPrimitives.ReadUInt16BigEndian(datagram), StunTransactionId.Read(datagram[8..]));
        return true;
    }

    /// <summary>The whole of it.</summary>
    internal ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>The same message with the attributes before some place only: what stands behind a proof is not proven.</summary>
    internal StunMessage Before(int end) => new(_bytes[..end], Type, Transaction);

    /// <summary>The first attribute of a type.</summary>
    public bool TryGet(StunAttribute type, out ReadOnlySpan<byte> value) => TryGet(type, out value, out _);

    /// <param name="start">Where the attribute begins in the message.</param>
    internal bool TryGet(StunAttribute type, out ReadOnlySpan<byte> value, out int start)
    {
        for (int at = HeaderBytes; at < _bytes.Length;)
        {
            var found = (StunAttribute)BinaryPrimitives.ReadUInt16BigEndian(_bytes[at..]);
            int length = BinaryPrimitives.ReadUInt16BigEndian(_bytes[(at + 2)..]);
            if (found == type)
            {
                value = _bytes.Slice(at + 4, length);
                start = at;
                return true;
            }

            at += 4 + Padded(length);
        }

        value = default;
        start = 0;
        return false;
    }

    internal static int Padded(int length) => (length + 3) & ~3;
}
