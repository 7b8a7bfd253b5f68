using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text;

namespace AgentMesh.Protocol.Stun;

/// <summary>What stands in a message.</summary>
public static class StunReading
{
    /// <summary>XOR-MAPPED-ADDRESS, or the plain one of servers before 2008.</summary>
    public static bool TryGetMapped(this in StunMessage message, [NotNullWhen(true)] out IPEndPoint? address)
    {
        address = null;
        return (message.TryGet(StunAttribute.XorMappedAddress, out ReadOnlySpan<byte> xor) && StunAddress.TryReadXor(xor, message.Transaction, out address))
            || (message.TryGet(StunAttribute.MappedAddress, out ReadOnlySpan<byte> plain) && StunAddress.TryRead(plain, out address));
    }

    /// <summary>XOR-PEER-ADDRESS or XOR-RELAYED-ADDRESS.</summary>
    public static bool TryGetXor(this in StunMessage message, StunAttribute type, [NotNullWhen(true)] out IPEndPoint? address)
    {
        address = null;
        return message.TryGet(type, out ReadOnlySpan<byte> value) && StunAddress.TryReadXor(value, message.Transaction, out address);
    }

    public static bool TryGet(this in StunMessage message, StunAttribute type, out uint number)
    {
        bool isThere = message.TryGet(type, out ReadOnlySpan<byte> value) && value.Length == 4;
        number = isThere ? BinaryPrimitives.ReadUInt32BigEndian(value) : 0;
        return isThere;
    }

    public static bool TryGetAlternateServer(this in StunMessage message, [NotNullWhen(true)] out IPEndPoint? address)
    {
        address = null;
        return message.TryGet(StunAttribute.AlternateServer, out ReadOnlySpan<byte> value) && StunAddress.TryRead(value, out address);
    }

    /// <summary>300 to 699; 0 where there is none.</summary>
    public static int ErrorCode(this in StunMessage message) =>
        message.TryGet(StunAttribute.ErrorCode, out ReadOnlySpan<byte> value) && value.Length >= 4 && value[2] is >= 3 and <= 6 && value[3] < 100 ? (value[2] * 100) + value[3] : 0;

    /// <summary>For people: printable ASCII, shortened.</summary>
    public static string ErrorReason(this in StunMessage message) =>
        message.TryGet(StunAttribute.ErrorCode, out ReadOnlySpan<byte> value) && value.Length > 4
            ? new string([.. Encoding.Latin1.GetString(value[4..Math.Min(value.Length, 84)]).Where(character => character is >= ' ' and <= '~')])
            : "";
}
