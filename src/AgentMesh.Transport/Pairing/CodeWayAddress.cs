using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace AgentMesh.Transport.Pairing;

/// <summary>
/// How somebody at a way looks to the two sides of pairing-v1, which know addresses only. It is of 100:0:0:1::/64, which no network carries (RFC 9780); then the number of the way here, then that of
/// the caller, 0 for who is asked.
/// </summary>
internal static class CodeWayAddress
{
    private const ulong Prefix = 0x0100_0000_0000_0001;
    private const int Port = 1;

    public static IPEndPoint Of(uint way, uint caller)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, Prefix);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[8..], way);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[12..], caller);
        return new IPEndPoint(new IPAddress(bytes), Port);
    }

    public static bool TryRead(IPAddress address, out uint way, out uint caller)
    {
        (way, caller) = (0, 0);
        Span<byte> bytes = stackalloc byte[16];
        if (address.AddressFamily != AddressFamily.InterNetworkV6 || !address.TryWriteBytes(bytes, out _) || BinaryPrimitives.ReadUInt64BigEndian(bytes) != Prefix)
        {
            return false;
        }

        way = BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]);
        caller = BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]);
        return true;
    }
}
