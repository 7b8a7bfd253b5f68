using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Discovery.Dht;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport.Discovery;

namespace AgentMesh.Transport.Tests;

/// <summary>The DHT over IPv4 and IPv6 on real sockets, with nodes written here: they answer as BEP 5, 32 and 44 say, and only with what they were asked for.</summary>
public sealed class DhtFamiliesTests : IDisposable
{
    private readonly List<Node> _nodes = [];

    public void Dispose() => _nodes.ForEach(node => node.Dispose());

    [SkippableFact]
    public async Task Nodes_of_IPv6_are_learned_of_those_of_IPv4_and_an_item_is_kept_and_found_in_both_networks()
    {
        Skip.IfNot(Socket.OSSupportsIPv6, "no IPv6 here");
        Node[] six = [.. Enumerable.Range(0, 5).Select(_ => Open(IPAddress.IPv6Loopback))];
        Node four = Open(IPAddress.Loopback);
        six[0].Knows.AddRange(six);
        four.Knows.AddRange([six[0], four]);
        DeviceIdentity one = DeviceIdentity.Create(SystemEntropy.Instance), two = DeviceIdentity.Create(SystemEntropy.Instance);
        IPEndPoint[] places = [IPEndPoint.Parse("[2001:db8::7]:14590")];
        using var limit = new CancellationTokenSource(EndpointPair.Patience);
        await using var publisher = new DhtDiscovery(
            one, [new DnsEndPoint("127.0.0.1", four.At.Port)], [], [IPAddress.Loopback, IPAddress.IPv6Loopback], SystemEntropy.Instance, TimeProvider.System);

        Assert.Equal(1, await publisher.PublishAsync(two.PublicKey, places, limit.Token));
        Assert.Equal((1, 0), (publisher.Nodes, publisher.Nodes6));
        await Task.Delay(2, limit.Token); // another millisecond, and so another sequence number
        Assert.Equal(6, await publisher.PublishAsync(two.PublicKey, places, limit.Token));
        Assert.Equal((6, 5), (publisher.Nodes, publisher.Nodes6));
        Assert.All(_nodes, node => Assert.Equal(["n4", "n6"], node.Wanted));

        // Who has IPv6 alone begins with what it knew, and finds it; who has IPv4 alone does too.
        await using var reader = new DhtDiscovery(two, [], publisher.Newest(64), [IPAddress.IPv6Loopback], SystemEntropy.Instance, TimeProvider.System);
        Assert.Equal(places, await reader.FindAsync(one.PublicKey, limit.Token));
        Assert.Equal((5, 5), (reader.Nodes, reader.Nodes6));
        await using var old = new DhtDiscovery(two, [], publisher.Newest(64), [IPAddress.Loopback], SystemEntropy.Instance, TimeProvider.System);
        Assert.Equal(places, await old.FindAsync(one.PublicKey, limit.Token));
    }

    [SkippableFact]
    public async Task The_newer_of_what_both_networks_keep_counts()
    {
        Skip.IfNot(Socket.OSSupportsIPv6, "no IPv6 here");
        Node four = Open(IPAddress.Loopback), six = Open(IPAddress.IPv6Loopback);
        DeviceIdentity one = DeviceIdentity.Create(SystemEntropy.Instance), two = DeviceIdentity.Create(SystemEntropy.Instance);
        IPEndPoint[] before = [IPEndPoint.Parse("192.0.2.7:1")], after = [IPEndPoint.Parse("192.0.2.7:2")];
        using var limit = new CancellationTokenSource(EndpointPair.Patience);
        await using var both = new DhtDiscovery(one, [], [four.At, six.At], [IPAddress.Loopback, IPAddress.IPv6Loopback], SystemEntropy.Instance, TimeProvider.System);
        Assert.Equal(2, await both.PublishAsync(two.PublicKey, before, limit.Token));
        await Task.Delay(2, limit.Token);
        await using var sixAlone = new DhtDiscovery(one, [], [six.At], [IPAddress.IPv6Loopback], SystemEntropy.Instance, TimeProvider.System);
        Assert.Equal(1, await sixAlone.PublishAsync(two.PublicKey, after, limit.Token));

        await using var reader = new DhtDiscovery(two, [], [four.At, six.At], [IPAddress.Loopback, IPAddress.IPv6Loopback], SystemEntropy.Instance, TimeProvider.System);
        Assert.Equal(after, await reader.FindAsync(one.PublicKey, limit.Token));
    }

    [Fact]
    public async Task Where_nobody_is_known_nothing_is_waited_for()
    {
        await using var alone = new DhtDiscovery(DeviceIdentity.Create(SystemEntropy.Instance), [], [], [IPAddress.Loopback], SystemEntropy.Instance, TimeProvider.System);
        Assert.Equal(0, await alone.PublishAsync(DeviceIdentity.Create(SystemEntropy.Instance).PublicKey, [IPEndPoint.Parse("192.0.2.7:1")], CancellationToken.None));
    }

    private Node Open(IPAddress at)
    {
        var node = new Node(at);
        _nodes.Add(node);
        return node;
    }

    private sealed class Node : IDisposable
    {
        private readonly Socket _socket;
        private readonly byte[] _id = new byte[DhtId.Bytes];
        private readonly ConcurrentDictionary<string, DhtItem> _kept = [];

        public Node(IPAddress at)
        {
            SystemEntropy.Instance.Fill(_id);
            _socket = new Socket(at.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            _socket.Bind(new IPEndPoint(at, 0));
            At = (IPEndPoint)_socket.LocalEndPoint!;
            _ = Task.Run(AnswerAsync);
        }

        public IPEndPoint At { get; }

        public List<Node> Knows { get; } = [];

        public IReadOnlyList<string> Wanted { get; private set; } = [];

        public void Dispose() => _socket.Dispose();

        private async Task AnswerAsync()
        {
            byte[] buffer = new byte[2_048];
            try
            {
                while (true)
                {
                    SocketReceiveFromResult read = await _socket.ReceiveFromAsync(buffer, new IPEndPoint(At.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0));
                    var query = (SortedDictionary<string, object>)Bencode.TryRead(buffer.AsSpan(0, read.ReceivedBytes))!;
                    await _socket.SendToAsync(Answer(query), read.RemoteEndPoint);
                }
            }
            catch (Exception error) when (error is ObjectDisposedException or SocketException)
            {
                // The test is over.
            }
        }

        private byte[] Answer(SortedDictionary<string, object> query)
        {
            var asked = (SortedDictionary<string, object>)query["a"];
            SortedDictionary<string, object> body = Bencode.Dictionary(("id", _id), ("token", _id));
            if (DhtItem.TryRead(asked) is { } item)
            {
                _kept[item.Target.ToString()] = item;
            }
            else
            {
                Wanted = [.. ((List<object>)asked["want"]).Select(each => System.Text.Encoding.ASCII.GetString((byte[])each))];
                body["nodes"] = Compact(AddressFamily.InterNetwork, "n4");
                body["nodes6"] = Compact(AddressFamily.InterNetworkV6, "n6");
                if (_kept.TryGetValue(new DhtId((byte[])asked["target"]).ToString(), out DhtItem? kept))
                {
                    (body["k"], body["seq"], body["sig"], body["v"]) = (kept.Key, kept.Sequence, kept.Signature, kept.Value);
                }
            }

            return Bencode.Write(Bencode.Dictionary(("r", body), ("t", query["t"]), ("y", "r"u8.ToArray())));
        }

        private byte[] Compact(AddressFamily family, string word) => !Wanted.Contains(word) ? [] :
            [.. Knows.Where(node => node.At.AddressFamily == family).SelectMany(node => (byte[])[.. node._id, .. node.At.Address.GetAddressBytes(), (byte)(node.At.Port >> 8), (byte)node.At.Port])];
    }
}
