using System.Buffers.Binary;

namespace AgentMesh.Protocol.Stun;

/// <summary>Method and class of a message (RFC 8489, section 5).</summary>
public enum StunType : ushort
{
    BindingRequest = 0x0001,
    BindingSuccess = 0x0101,
    BindingError = 0x0111,
}

/// <summary>Attribute types of RFC 8489, section 18.3, that are used here.</summary>
public enum StunAttribute : ushort
{
    MappedAddress = 0x0001,
    ErrorCode = 0x0009,
    XorMappedAddress = 0x0020,
    AlternateServer = 0x8023,
    Fingerprint = 0x8028,
}

/// <summary>96 bits that join an answer to its request; random, so that nobody off the path can answer.</summary>
public readonly record struct StunTransactionId(ulong High, uint Low)
{
    public const int Bytes = 12;

    public static StunTransactionId Read(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]));

    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, High);
        BinaryPrimitives.WriteUInt32BigEndian(destination[8..], Low);
    }
}
