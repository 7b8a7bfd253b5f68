using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace AgentMesh.Protocol.Frames;

/// <summary>
/// Where the sender sees the receiver, so that the receiver learns when a NAT has given it another port. A later one has a greater sequence number.
/// <code>0x30 | sequence | family, 4 or 6 | address, 4 or 16 bytes | port, 2 bytes</code>
/// </summary>
internal readonly record struct ObservedAddressFrame(ulong Sequence, IPEndPoint Address)
{
    private const int PortBytes = 2;

    public int Size => 2 + VarInt.Size(Sequence) + AddressBytes(Address.AddressFamily) + PortBytes;

    public int Write(Span<byte> destination)
    {
        destination[0] = (byte)FrameType.ObservedAddress;
        int length = 1 + VarInt.Write(destination[1..], Sequence);
        destination[length++] = (byte)(Address.AddressFamily == AddressFamily.InterNetwork ? 4 : 6);
        Address.Address.TryWriteBytes(destination[length..], out int written);
        BinaryPrimitives.WriteUInt16BigEndian(destination[(length + written)..], (ushort)Address.Port);
        return length + written + PortBytes;
    }

    public static bool TryRead(ref ReadOnlySpan<byte> source, out ObservedAddressFrame frame)
    {
        frame = default;
        if (!VarInt.TryRead(ref source, out ulong sequence) || source.IsEmpty || source[0] is not (4 or 6))
        {
            return false;
        }

        int bytes = AddressBytes(source[0] == 4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6);
        if (source.Length < 1 + bytes + PortBytes)
        {
            return false;
        }

        frame = new ObservedAddressFrame(sequence, new IPEndPoint(new IPAddress(source.Slice(1, bytes)), BinaryPrimitives.ReadUInt16BigEndian(source[(1 + bytes)..])));
        source = source[(1 + bytes + PortBytes)..];
        return true;
    }

    private static int AddressBytes(AddressFamily family) => family == AddressFamily.InterNetwork ? 4 : 16;
}
