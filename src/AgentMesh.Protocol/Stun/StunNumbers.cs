using System.Buffers.Binary;

namespace AgentMesh.Protocol.Stun;

/// <summary>Method and class of a message (RFC 8489, section 5).</summary>
public enum StunType : ushort
{
    BindingRequest = 0x0001,
    BindingSuccess = 0x0101,
    BindingError = 0x0111,

    // TURN: RFC 8656, section 17.
    AllocateRequest = 0x0003,
    AllocateSuccess = 0x0103,
    AllocateError = 0x0113,
    RefreshRequest = 0x0004,
    RefreshSuccess = 0x0104,
    RefreshError = 0x0114,
    SendIndication = 0x0016,
    DataIndication = 0x0017,
    CreatePermissionRequest = 0x0008,
    CreatePermissionSuccess = 0x0108,
    CreatePermissionError = 0x0118,
    ChannelBindRequest = 0x0009,
    ChannelBindSuccess = 0x0109,
    ChannelBindError = 0x0119,
}

/// <summary>Attribute types of RFC 8489, section 18.3, and RFC 8656, section 18, that are used here.</summary>
public enum StunAttribute : ushort
{
    MappedAddress = 0x0001,
    Username = 0x0006,
    MessageIntegrity = 0x0008,
    ErrorCode = 0x0009,
    ChannelNumber = 0x000C,
    Lifetime = 0x000D,
    XorPeerAddress = 0x0012,
    Data = 0x0013,
    Realm = 0x0014,
    Nonce = 0x0015,
    XorRelayedAddress = 0x0016,
    RequestedTransport = 0x0019,
    MessageIntegritySha256 = 0x001C,
    PasswordAlgorithm = 0x001D,
    UserHash = 0x001E,
    XorMappedAddress = 0x0020,
    PasswordAlgorithms = 0x8002,
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
