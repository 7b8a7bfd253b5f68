using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace AgentMesh.Protocol.Discovery.Dht;

/// <summary>One node of the DHT (BEP 5, compact node info, 26 bytes).</summary>
internal readonly record struct DhtNode(DhtId Id, IPEndPoint At)
{
    public const int Bytes = DhtId.Bytes + 6;

    public static IReadOnlyList<DhtNode> ReadAll(ReadOnlySpan<byte> bytes)
    {
        const int nodesMax = 32;
        var nodes = new List<DhtNode>();
        for (; bytes.Length >= Bytes && nodes.Count < nodesMax; bytes = bytes[Bytes..])
        {
            var at = new IPEndPoint(new IPAddress(bytes.Slice(DhtId.Bytes, 4)), BinaryPrimitives.ReadUInt16BigEndian(bytes[24..]));
            if (at.Port != 0)
            {
                nodes.Add(new DhtNode(new DhtId(bytes[..DhtId.Bytes]), at));
            }
        }

        return nodes;
    }
}

/// <summary>What a node answered to a question of this device.</summary>
/// <param name="Transaction">As it was asked.</param>
/// <param name="Id">Null in an error.</param>
/// <param name="Token">For a put.</param>
/// <param name="Item">Null when it has none, or one that is not right.</param>
internal sealed record DhtReply(ulong Transaction, DhtId? Id, IReadOnlyList<DhtNode> Nodes, byte[]? Token, DhtItem? Item)
{
    private const int TokenBytesMax = 128;

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
            return new DhtReply(number, null, [], null, null);
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
            body.GetValueOrDefault("token") is byte[] { Length: > 0 and <= TokenBytesMax } token ? token : null,
            item)
        {
            HasBadItem = item is null && body.ContainsKey("v"),
        };
    }

    public static byte[] Get(ulong transaction, DhtId own, DhtId target) => Query("get", transaction, ("id", own.ToArray()), ("target", target.ToArray()));

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
