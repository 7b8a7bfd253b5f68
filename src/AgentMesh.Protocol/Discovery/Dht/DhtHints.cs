using System.Net;

namespace AgentMesh.Protocol.Discovery.Dht;

/// <summary>Where a search may begin besides nodes that have answered: those of an earlier run, which stay, and the newest 32 that nodes of the other address family named. Not thread-safe.</summary>
internal sealed class DhtHints(IEnumerable<IPEndPoint> known)
{
    public const int NamedMax = 32;
    private const int KnownMax = 256;

    private readonly IPEndPoint[] _known = [.. known.Take(KnownMax)];
    private readonly List<IPEndPoint> _named = [];

    public IEnumerable<IPEndPoint> All => _known.Concat(_named);

    public void Add(IEnumerable<DhtNode> nodes)
    {
        foreach (IPEndPoint at in nodes.Select(node => node.At))
        {
            _named.Remove(at);
            _named.Add(at);
            if (_named.Count > NamedMax)
            {
                _named.RemoveAt(0);
            }
        }
    }
}
