using System.Buffers.Binary;
using System.Net;

namespace AgentMesh.Protocol.Stun;

/// <summary>Writes one message attribute by attribute into a buffer of the caller's. The end is the fingerprint.</summary>
public ref struct StunWriter
{
    private readonly Span<byte> _buffer;
    private int _length;

    /// <param name="buffer">As long as the message will be.</param>
    public StunWriter(Span<byte> buffer, StunType type, StunTransactionId transaction)
    {
        _buffer = buffer;
        BinaryPrimitives.WriteUInt16BigEndian(buffer, (ushort)type);
        BinaryPrimitives.WriteUInt32BigEndian(buffer[4..], StunMessage.MagicCookie);
        transaction.Write(buffer[8..]);
        _length = StunMessage.HeaderBytes;
        WriteLength(_length);
    }

    /// <summary>Of the message so far.</summary>
    public readonly int Length => _length;

    public void Add(StunAttribute type, scoped ReadOnlySpan<byte> value) => value.CopyTo(Open(type, value.Length));

    public void Add(StunAttribute type, uint value) => BinaryPrimitives.WriteUInt32BigEndian(Open(type, 4), value);

    public void AddXor(StunAttribute type, IPEndPoint address)
    {
        Span<byte> value = Open(type, StunAddress.Size(address));
        StunAddress.WriteXor(value, address, StunTransactionId.Read(_buffer[8..]));
    }

    /// <summary>MESSAGE-INTEGRITY, or the form of it with SHA-256 where the key has been agreed upon for that; only the fingerprint may follow.</summary>
    public void AddIntegrity(StunKey key)
    {
        int before = _length;
        Span<byte> to = Open(key.Attribute, key.ProofBytes);
        key.Prove(_buffer[..before], to);
    }

    public void AddFingerprint()
    {
        int before = _length;
        Span<byte> to = Open(StunAttribute.Fingerprint, 4);
        BinaryPrimitives.WriteUInt32BigEndian(to, StunFingerprint.Of(_buffer[..before]));
    }

    private Span<byte> Open(StunAttribute type, int length)
    {
        Span<byte> attribute = _buffer.Slice(_length, 4 + StunMessage.Padded(length));
        attribute.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(attribute, (ushort)type);
        BinaryPrimitives.WriteUInt16BigEndian(attribute[2..], (ushort)length);
        _length += attribute.Length;
        WriteLength(_length);
        return attribute.Slice(4, length);
    }

    private readonly void WriteLength(int length) => BinaryPrimitives.WriteUInt16BigEndian(_buffer[2..], (ushort)(length - StunMessage.HeaderBytes));
}
