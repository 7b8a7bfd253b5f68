using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace AgentMesh.Protocol.Discovery.Dht;

/// <summary>
/// One node of the DHT, compact: of IPv4 in <c>nodes</c> (BEP 5), of IPv6 in <c>nodes6</c> (BEP 32).
/// <code>
/// 20 id | 4 or 16 address | 2 port
/// </code>
/// </summary>
internal readonly record struct DhtNode(DhtId Id, IPEndPoint At)
{
    public const int Bytes = DhtId.Bytes + 4 + 2;
    public const int Bytes6 = DhtId.Bytes + 16 + 2;

    private const int NodesMax = 32;

    /// <summary>Those that can be sent to, of the first 32; what is left over at the end is dropped.</summary>
    /// <param name="family">Of all of them.</param>
    public static IReadOnlyList<DhtNode> ReadAll(ReadOnlySpan<byte> bytes, AddressFamily family = AddressFamily.InterNetwork)
    {
        int size = family == AddressFamily.InterNetwork ? Bytes : Bytes6;
        var nodes = new List<DhtNode>();
        for (int read = 0; bytes.Length >= size && read < NodesMax; bytes = bytes[size..], read++)
        {
            var at = new IPEndPoint(new IPAddress(bytes[DhtId.Bytes..(size - 2)]), BinaryPrimitives.ReadUInt16BigEndian(bytes[(size - 2)..]));
            if (at.Port != 0 && IsUsable(at.Address))
            {
                nodes.Add(new DhtNode(new DhtId(bytes[..DhtId.Bytes]), at));
            }
        }

        return nodes;
    }

    // An address of a link says nothing without its link, and IPv4 in the clothes of IPv6 belongs to the other network.
    private static bool IsUsable(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetwork || !(address.IsIPv4MappedToIPv6 || address.IsIPv6Multicast || address.IsIPv6LinkLocal || address.Equals(IPAddress.IPv6Any));
}
