using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace AgentMesh.Protocol.Discovery.Dht;

/// <summary>What a node answered to a question of this device.</summary>
/// <param name="Transaction">As it was asked.</param>
/// <param name="Id">Null in an error.</param>
/// <param name="Nodes">Of IPv4.</param>
/// <param name="Nodes6">Of IPv6 (BEP 32).</param>
/// <param name="Token">For a put.</param>
/// <param name="Item">Null when it has none, or one that is not right.</param>
internal sealed record DhtReply(ulong Transaction, DhtId? Id, IReadOnlyList<DhtNode> Nodes, IReadOnlyList<DhtNode> Nodes6, byte[]? Token, DhtItem? Item)
{
    private const int TokenBytesMax = 128;

    // BEP 32: nodes of both families, else it would be those of the family in which the question comes.
    private static readonly List<object> Both = ["n4"u8.ToArray(), "n6"u8.ToArray()];

    /// <summary>It has a value, and no item that is right.</summary>
    public bool HasBadItem { get; init; }

    /// <summary>Null for what is no answer to this device, damaged or not.</summary>
    public static DhtReply? TryRead(ReadOnlySpan<byte> datagram)
    {
        if (Bencode.TryRead(datagram) is not SortedDictionary<string, object> message || message.GetValueOrDefault("t") is not byte[] { Length: sizeof(ulong) } transaction || message.GetValueOrDefault("y") is not byte[] { Length: 1 } kind)
        {
            return null;
        }

        ulong number = BinaryPrimitives.ReadUInt64BigEndian(transaction);
        if (kind[0] == 'e')
        {
            return new DhtReply(number, null, [], [], null, null);
        }

        if (kind[0] != 'r' || message.GetValueOrDefault("r") is not SortedDictionary<string, object> body || body.GetValueOrDefault("id") is not byte[] { Length: DhtId.Bytes } id)
        {
            return null;
        }

        DhtItem? item = DhtItem.TryRead(body);
        return new DhtReply(
            number,
            new DhtId(id),
            DhtNode.ReadAll(body.GetValueOrDefault("nodes") as byte[]),
            DhtNode.ReadAll(body.GetValueOrDefault("nodes6") as byte[], AddressFamily.InterNetworkV6),
            body.GetValueOrDefault("token") is byte[] { Length: > 0 and <= TokenBytesMax } token ? token : null,
            item)
        {
            HasBadItem = item is null && body.ContainsKey("v"),
        };
    }

    public static byte[] Get(ulong transaction, DhtId own, DhtId target) => Query("get", transaction, ("id", own.ToArray()), ("target", target.ToArray()), ("want", Both));

    public static byte[] Put(ulong transaction, DhtId own, byte[] token, DhtItem item) =>
        Query("put", transaction, ("id", own.ToArray()), ("k", item.Key), ("seq", item.Sequence), ("sig", item.Signature), ("token", token), ("v", item.Value));

    // ro: this device asks and does not serve (BEP 43).
    private static byte[] Query(string name, ulong transaction, params (string Key, object Value)[] arguments)
    {
        byte[] number = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(number, transaction);
        return Bencode.Write(Bencode.Dictionary(("a", Bencode.Dictionary(arguments)), ("q", Encoding.ASCII.GetBytes(name)), ("ro", 1L), ("t", number), ("y", "q"u8.ToArray())));
    }
}
