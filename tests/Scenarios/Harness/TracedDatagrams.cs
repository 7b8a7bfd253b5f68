using System.Buffers.Binary;

namespace Scenarios.Harness;

/// <param name="At">Since 1970.</param>
/// <param name="Port">Of the sender.</param>
/// <param name="Bytes">UDP payload.</param>
public readonly record struct TracedDatagram(TimeSpan At, int Port, int Bytes);

/// <summary>What <c>agentmesh trace</c> wrote, IPv4 only.</summary>
public static class TracedDatagrams
{
    private const uint EnhancedPacket = 6;
    private const int BlockHeader = 28;
    private const int IpHeader = 20;

    public static IReadOnlyList<TracedDatagram> Read(string file)
    {
        ReadOnlySpan<byte> all = File.ReadAllBytes(file);
        var found = new List<TracedDatagram>();
        while (all.Length >= 12)
        {
            uint type = BinaryPrimitives.ReadUInt32LittleEndian(all);
            int length = (int)BinaryPrimitives.ReadUInt32LittleEndian(all[4..]);
            if (length > all.Length)
            {
                break; // it was being written
            }

            if (type == EnhancedPacket && length > BlockHeader + IpHeader + 8)
            {
                ulong nanoseconds = ((ulong)BinaryPrimitives.ReadUInt32LittleEndian(all[12..]) << 32) | BinaryPrimitives.ReadUInt32LittleEndian(all[16..]);
                ReadOnlySpan<byte> udp = all[(BlockHeader + IpHeader)..];
                found.Add(new TracedDatagram(TimeSpan.FromTicks((long)(nanoseconds / 100)), BinaryPrimitives.ReadUInt16BigEndian(udp), BinaryPrimitives.ReadUInt16BigEndian(udp[4..]) - 8));
            }

            all = all[length..];
        }

        return found;
    }
}
