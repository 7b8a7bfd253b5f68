using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Discovery.Dht;

/// <summary>
/// One search of BEP 5 for what BEP 44 keeps: asks nodes that are nearer and nearer to the target until the nearest eight have answered; then puts an item there, if there is one to put. Datagrams
/// and the present in, datagrams, the next wake-up and a result out. Not thread-safe.
/// <code>
/// Asking  --the nearest 8 have answered, or nobody is left--> Putting, or the end
/// Putting --all have answered or are late-->                  the end
/// </code>
/// </summary>
internal sealed class DhtSearch
{
    private const int Nearest = 8;
    private const int AtOnce = 4;
    private const int CandidatesMax = 128;
    private const int AskedMax = 96;
    private const int AskedTwice = 2;

    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(1.5);

    private readonly DhtId _own;
    private readonly DhtId _target;
    private readonly DhtItem? _item;
    private readonly DhtNodes _nodes;
    private readonly IEntropy _entropy;
    private readonly AddressFamily _family;
    private readonly List<DhtNode> _others = [];
    private readonly List<Candidate> _candidates = [];
    private readonly HashSet<IPEndPoint> _seen = [];
    private readonly Dictionary<ulong, (Candidate To, TimeSpan Late)> _waiting = [];
    private readonly Queue<(IPEndPoint To, byte[] Bytes)> _outbox = new();
    private int _asked;
    private bool _isPutting;

    /// <param name="item">To be put where <paramref name="target"/> is; null to look only.</param>
    /// <param name="nodes">Where to begin, and where nodes that answer are noted.</param>
    /// <param name="bootstrap">Where to begin beside; their ids are not known.</param>
    /// <param name="family">Of all nodes that it asks.</param>
    public DhtSearch(DhtId own, DhtId target, DhtItem? item, DhtNodes nodes, IEnumerable<IPEndPoint> bootstrap, IEntropy entropy, TimeSpan now, AddressFamily family = AddressFamily.InterNetwork)
    {
        _family = family;
        _own = own;
        _target = target;
        _item = item;
        _nodes = nodes;
        _entropy = entropy;
        foreach (DhtNode node in nodes.Nearest(target, 2 * Nearest))
        {
            Add(node.Id, node.At);
        }

        foreach (IPEndPoint at in bootstrap)
        {
            Add(null, at);
        }

        Advance(now);
    }

    public bool IsOver { get; private set; }

    /// <summary>The newest that was found.</summary>
    public DhtItem? Found { get; private set; }

    /// <summary>Answers with a value that nobody has signed for this place.</summary>
    public int BadItems { get; private set; }

    /// <summary>Nodes of the other address family that were named by the way.</summary>
    public IReadOnlyList<DhtNode> OthersNamed => _others;

    /// <summary>Nodes that have taken the item.</summary>
    public int Stored { get; private set; }

    /// <summary>Nodes that have answered.</summary>
    public int Answered { get; private set; }

    public TimeSpan Next => _waiting.Count == 0 ? TimeSpan.Zero : _waiting.Values.Min(waiting => waiting.Late);

    public bool TryTransmit(out (IPEndPoint To, byte[] Bytes) transmit) => _outbox.TryDequeue(out transmit);

    public void Tick(TimeSpan now)
    {
        foreach ((ulong number, (Candidate to, TimeSpan late)) in _waiting.ToArray())
        {
            if (late <= now)
            {
                // Datagrams are lost: each node is asked twice.
                _waiting.Remove(number);
                to.IsLate = to.Asked >= AskedTwice;
                if (to.IsLate)
                {
                    _nodes.Failed(to.At);
                }
            }
        }

        Advance(now);
    }

    /// <summary>False when it belongs to another search, or to nothing.</summary>
    public bool Handle(DhtReply reply, IPEndPoint from, TimeSpan now)
    {
        if (!_waiting.TryGetValue(reply.Transaction, out (Candidate To, TimeSpan Late) waiting) || !waiting.To.At.Equals(from))
        {
            return false;
        }

        _waiting.Remove(reply.Transaction);
        if (_isPutting)
        {
            Stored += reply.Id is null ? 0 : 1;
        }
        else if (reply.Id is { } id)
        {
            Answered++;
            (waiting.To.Id, waiting.To.Token, waiting.To.HasAnswered) = (id, reply.Token, true);
            _nodes.Answered(new DhtNode(id, from));
            BadItems += reply.HasBadItem || (reply.Item is { } other && !other.Target.Equals(_target)) ? 1 : 0;
            if (reply.Item is { } item && item.Target.Equals(_target) && item.Sequence > (Found?.Sequence ?? -1))
            {
                Found = item;
            }

            (IReadOnlyList<DhtNode> named, IReadOnlyList<DhtNode> others) = _family == AddressFamily.InterNetwork ? (reply.Nodes, reply.Nodes6) : (reply.Nodes6, reply.Nodes);
            foreach (DhtNode node in named)
            {
                Add(node.Id, node.At);
            }

            _others.AddRange(others.Take(DhtHints.NamedMax - _others.Count));
        }
        else
        {
            waiting.To.IsLate = true;
        }

        Advance(now);
        return true;
    }

    private void Add(DhtId? id, IPEndPoint at)
    {
        // What is too far is dropped first; so no node can fill it with names of others.
        if (_asked + _seen.Count > 8 * CandidatesMax || !_seen.Add(at))
        {
            return;
        }

        _candidates.Add(new Candidate(at) { Id = id });
        _candidates.Sort((a, b) => a.Id is { } one ? b.Id is { } two ? _target.CompareNearness(one, two) : -1 : b.Id is null ? 0 : 1);
        if (_candidates.Count > CandidatesMax)
        {
            _candidates.RemoveAt(_candidates.Count - 1);
        }
    }

    private void Advance(TimeSpan now)
    {
        if (IsOver)
        {
            return;
        }

        if (!_isPutting)
        {
            Ask(now);
            if (_waiting.Count > 0)
            {
                return;
            }

            BeginPutting(now);
        }

        IsOver = _waiting.Count == 0;
    }

    // Of those that are not late only the nearest eight are worth a question; and nodes whose ids are not known, as long as nobody else is.
    private void Ask(TimeSpan now)
    {
        foreach (Candidate candidate in _candidates.Where(each => !each.IsLate).Take(Nearest).ToArray())
        {
            if (_waiting.Count >= AtOnce || _asked >= AskedMax)
            {
                return;
            }

            if (!candidate.HasAnswered && !_waiting.Values.Any(waiting => waiting.To == candidate))
            {
                candidate.Asked++;
                _asked++;
                Send(candidate, number => DhtReply.Get(number, _own, _target), now);
            }
        }
    }

    private void BeginPutting(TimeSpan now)
    {
        _isPutting = true;
        if (_item is null)
        {
            return;
        }

        foreach (Candidate candidate in _candidates.Where(each => each is { HasAnswered: true, Token: not null }).Take(Nearest))
        {
            Send(candidate, number => DhtReply.Put(number, _own, candidate.Token!, _item), now);
        }
    }

    private void Send(Candidate to, Func<ulong, byte[]> message, TimeSpan now)
    {
        Span<byte> random = stackalloc byte[sizeof(ulong)];
        _entropy.Fill(random);
        ulong number = BinaryPrimitives.ReadUInt64BigEndian(random);
        _waiting[number] = (to, now + AnswerWithin);
        _outbox.Enqueue((to.At, message(number)));
    }

    private sealed class Candidate(IPEndPoint at)
    {
        public IPEndPoint At => at;

        public DhtId? Id { get; set; }

        public byte[]? Token { get; set; }

        public int Asked { get; set; }

        public bool HasAnswered { get; set; }

        public bool IsLate { get; set; }
    }
}
