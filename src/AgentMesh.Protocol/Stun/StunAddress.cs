using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace AgentMesh.Protocol.Stun;

/// <summary>
/// Addresses in attributes (RFC 8489, sections 14.1 and 14.2).
/// <code>
/// 0 | 1 family (1 IPv4, 2 IPv6) | 2 port | 4 or 16 address; the xor form with the magic cookie, and behind it the transaction id
/// </code>
/// </summary>
internal static class StunAddress
{
    private const byte Ipv4 = 1;
    private const byte Ipv6 = 2;
    private const int HeaderBytes = 4;

    public static bool TryReadXor(ReadOnlySpan<byte> value, StunTransactionId transaction, [NotNullWhen(true)] out IPEndPoint? address) => TryRead(value, transaction, isXor: true, out address);

    public static bool TryRead(ReadOnlySpan<byte> value, [NotNullWhen(true)] out IPEndPoint? address) => TryRead(value, default, isXor: false, out address);

    public static int Size(IPEndPoint address) => HeaderBytes + (address.AddressFamily == AddressFamily.InterNetwork ? 4 : 16);

    /// <param name="value"><see cref="Size"/> long.</param>
    public static void WriteXor(Span<byte> value, IPEndPoint address, StunTransactionId transaction)
    {
        value[0] = 0;
        value[1] = value.Length == HeaderBytes + 4 ? Ipv4 : Ipv6;
        BinaryPrimitives.WriteUInt16BigEndian(value[2..], (ushort)(address.Port ^ (int)(StunMessage.MagicCookie >> 16)));
        address.Address.TryWriteBytes(value[HeaderBytes..], out _);
        Mask(value[HeaderBytes..], transaction);
    }

    private static bool TryRead(ReadOnlySpan<byte> value, StunTransactionId transaction, bool isXor, [NotNullWhen(true)] out IPEndPoint? address)
    {
        address = null;
        if (value.Length < HeaderBytes || value.Length != HeaderBytes + value[1] switch { Ipv4 => 4, Ipv6 => 16, _ => -HeaderBytes })
        {
            return false;
        }

        int port = BinaryPrimitives.ReadUInt16BigEndian(value[2..]);
        Span<byte> bytes = stackalloc byte[value.Length - HeaderBytes];
        value[HeaderBytes..].CopyTo(bytes);
        if (isXor)
        {
            port ^= (int)(StunMessage.MagicCookie >> 16);
            Mask(bytes, transaction);
        }

        address = new IPEndPoint(new IPAddress(bytes), port);
        return true;
    }

    private static void Mask(Span<byte> bytes, StunTransactionId transaction)
    {
        Span<byte> mask = stackalloc byte[4 + StunTransactionId.Bytes];
        BinaryPrimitives.WriteUInt32BigEndian(mask, StunMessage.MagicCookie);
        transaction.Write(mask[4..]);
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= mask[i];
        }
    }
}
