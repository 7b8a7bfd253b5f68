using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol.Discovery.Dht;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Discovery.Dht;

/// <summary>Nodes of a DHT, each of which knows some others, with a clock of its own.</summary>
internal sealed class TestDht
{
    private readonly Random _random;
    private readonly AddressFamily _family;
    private readonly Dictionary<IPEndPoint, DhtNode[]> _known = [];
    private readonly Dictionary<IPEndPoint, DhtItem> _kept = [];

    /// <param name="family">Of all nodes.</param>
    public TestDht(int count, int seed, AddressFamily family = AddressFamily.InterNetwork)
    {
        _family = family;
        byte[] network = family == AddressFamily.InterNetwork ? [10, 0] : [0x20, 0x01, 0x0D, 0xB8, .. new byte[10]];
        _random = new Random(seed);
        Nodes = [.. Enumerable.Range(0, count).Select(i => new DhtNode(NewId(), new IPEndPoint(new IPAddress([.. network, (byte)(i >> 8), (byte)(i + 1)]), 6881)))];
        foreach (DhtNode node in Nodes)
        {
            // The nearest and some of all distances, as routing tables have them.
            _known[node.At] = [.. Nodes.OrderBy(each => each, Comparer<DhtNode>.Create((a, b) => node.Id.CompareNearness(a.Id, b.Id))).Take(12), .. Enumerable.Range(0, 24).Select(_ => Nodes[_random.Next(count)])];
        }
    }

    public DhtNode[] Nodes { get; }

    public double Loss { get; init; }

    /// <summary>Every node names eight that are not there.</summary>
    public bool Floods { get; init; }

    /// <summary>What nodes that keep nothing answer.</summary>
    public DhtItem? Lie { get; set; }

    public int Sent { get; private set; }

    public TimeSpan Elapsed { get; private set; }

    public static ulong NumberOf(byte[] query) => BinaryPrimitives.ReadUInt64BigEndian((byte[])((SortedDictionary<string, object>)Bencode.TryRead(query)!)["t"]);

    public DhtSearch Run(DhtId target, DhtItem? item, DhtNodes nodes)
    {
        var search = new DhtSearch(NewId(), target, item, nodes, [Nodes[0].At, Nodes[1].At, Nodes[2].At], new SeededEntropy(_random.Next()), Elapsed, _family);
        while (!search.IsOver)
        {
            bool any = false;
            while (search.TryTransmit(out (IPEndPoint To, byte[] Bytes) sent))
            {
                Sent++;
                if (_random.NextDouble() >= Loss && _known.ContainsKey(sent.To))
                {
                    any = true;
                    search.Handle(DhtReply.TryRead(Answer(sent.To, sent.Bytes))!, sent.To, Elapsed);
                }
            }

            Elapsed = any ? Elapsed : search.Next > Elapsed ? search.Next : Elapsed;
            search.Tick(Elapsed);
        }

        return search;
    }

    public byte[] Reply(DhtNode node, ulong number, DhtItem? item, params DhtNode[] others)
    {
        SortedDictionary<string, object> body = Bencode.Dictionary(("id", node.Id.ToArray()), ("token", "token"u8.ToArray()), (_family == AddressFamily.InterNetwork ? "nodes" : "nodes6", others.SelectMany(Compact).ToArray()));
        if (item is not null)
        {
            (body["k"], body["seq"], body["sig"], body["v"]) = (item.Key, item.Sequence, item.Signature, item.Value);
        }

        byte[] transaction = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(transaction, number);
        return Bencode.Write(Bencode.Dictionary(("r", body), ("t", transaction), ("y", "r"u8.ToArray())));
    }

    private static byte[] Compact(DhtNode node) => [.. node.Id.ToArray(), .. node.At.Address.GetAddressBytes(), (byte)(node.At.Port >> 8), (byte)node.At.Port];

    private byte[] Answer(IPEndPoint at, byte[] bytes)
    {
        var query = (SortedDictionary<string, object>)Bencode.TryRead(bytes)!;
        var arguments = (SortedDictionary<string, object>)query["a"];
        DhtNode node = Nodes.Single(each => each.At.Equals(at));
        if (arguments.TryGetValue("target", out object? wanted))
        {
            var target = new DhtId((byte[])wanted);
            DhtNode[] nearest = Floods
                ? [.. Enumerable.Range(0, 8).Select(_ => new DhtNode(NewId(), new IPEndPoint(_random.Next(1, 1 << 24), 1)))]
                : [.. _known[at].OrderBy(each => each, Comparer<DhtNode>.Create((a, b) => target.CompareNearness(a.Id, b.Id))).Take(8)];
            return Reply(node, NumberOf(bytes), _kept.TryGetValue(at, out DhtItem? item) && item.Target.Equals(target) ? item : Lie, nearest);
        }

        Assert.Equal("token"u8.ToArray(), (byte[])arguments["token"]);
        _kept[at] = DhtItem.TryRead(arguments)!;
        return Reply(node, NumberOf(bytes), null);
    }

    private DhtId NewId()
    {
        byte[] id = new byte[DhtId.Bytes];
        _random.NextBytes(id);
        return new DhtId(id);
    }
}
