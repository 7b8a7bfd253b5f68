using System.Net;

namespace AgentMesh.Protocol.Discovery.Dht;

/// <summary>
/// Nodes that answered lately, from which searches begin. This device serves nobody (BEP 43), so it needs no routing table of buckets: a search starts from the nearest of what it has seen and
/// finds its way. Bounded: the one that answered longest ago makes room. Not thread-safe.
/// </summary>
internal sealed class DhtNodes
{
    public const int Most = 256;

    private readonly Dictionary<IPEndPoint, (DhtId Id, long Stamp)> _nodes = [];
    private long _stamp;

    public int Count => _nodes.Count;

    public void Answered(DhtNode node)
    {
        _nodes[node.At] = (node.Id, ++_stamp);
        if (_nodes.Count > Most)
        {
            _nodes.Remove(_nodes.MinBy(each => each.Value.Stamp).Key);
        }
    }

    public void Failed(IPEndPoint at) => _nodes.Remove(at);

    public IReadOnlyList<IPEndPoint> Newest(int count) => [.. _nodes.OrderByDescending(each => each.Value.Stamp).Take(count).Select(each => each.Key)];

    public IReadOnlyList<DhtNode> Nearest(DhtId target, int count) =>
        [.. _nodes.Select(each => new DhtNode(each.Value.Id, each.Key)).Order(Comparer<DhtNode>.Create((a, b) => target.CompareNearness(a.Id, b.Id))).Take(count)];
}
