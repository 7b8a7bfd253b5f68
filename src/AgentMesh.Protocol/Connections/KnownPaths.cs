using System.Net;
using System.Runtime.InteropServices;
using AgentMesh.Protocol.Relaying;

namespace AgentMesh.Protocol.Connections;

/// <summary>The paths that a connection knows, the one in use first, and the relays that there are. Bounded: the least wanted goes.</summary>
internal sealed class KnownPaths(Whereabouts where)
{
    public const int PathsMax = 8;

    private const int RelaysMax = 3;

    private readonly List<KnownPath> _paths = [Of(where.Remote, isByPeer: false)];
    private IReadOnlyList<RelayWay> _relays = where.IsRelayed ? [new RelayWay(where.Remote, IsByPeer: false)] : [];

    public IReadOnlyList<KnownPath> All => _paths;

    /// <summary>The same, to go through without garbage.</summary>
    public ReadOnlySpan<KnownPath> Each => CollectionsMarshal.AsSpan(_paths);

    public KnownPath Active => _paths[0];

    public bool HasRelay => _relays.Count > 0;

    public static KnownPath Of(IPEndPoint address, bool isByPeer) =>
        new(address, !RelayAddress.IsRelay(address) ? PathKind.Direct : isByPeer ? PathKind.PeerRelay : PathKind.Relay);

    /// <summary>The relays that there are now; paths over others go, but the one in use.</summary>
    /// <returns>As many as are taken.</returns>
    public IReadOnlyList<RelayWay> SetRelays(IReadOnlyList<RelayWay> relays)
    {
        _relays = [.. relays.Take(RelaysMax)];
        for (int i = _paths.Count - 1; i > 0; i--)
        {
            if (IsGone(_paths[i]))
            {
                _paths.RemoveAt(i);
            }
        }

        return _relays;
    }

    public void Add(KnownPath path)
    {
        if (_paths.Count >= PathsMax)
        {
            _paths.Remove(_paths.Skip(1).OrderBy(each => each.Kind == PathKind.Direct ? 0 : 1).ThenBy(each => each.IsFailed ? 0 : 1).ThenByDescending(each => each.RoundTrip ?? TimeSpan.MaxValue).First());
        }

        _paths.Add(path);
    }

    public void Remove(KnownPath path) => _paths.Remove(path);

    /// <summary>Those over spare sockets that are not in use.</summary>
    public void RemoveSpares() => _paths.RemoveAll(path => path.SpareSince is not null && !ReferenceEquals(path, Active));

    public void Activate(KnownPath path)
    {
        _paths.Remove(path);
        _paths.Insert(0, path);
    }

    public KnownPath? Find(IPEndPoint address)
    {
        foreach (KnownPath path in _paths)
        {
            if (path.Address.Equals(address))
            {
                return path;
            }
        }

        return null;
    }

    /// <summary>The most wanted of those beside the one in use.</summary>
    public KnownPath? Best(Predicate<KnownPath> isUsable)
    {
        KnownPath? best = null;
        for (int i = 1; i < _paths.Count; i++)
        {
            KnownPath path = _paths[i];
            if (isUsable(path) && (best is null || path.Kind < best.Kind || (path.Kind == best.Kind && path.RoundTrip < best.RoundTrip)))
            {
                best = path;
            }
        }

        return best;
    }

    /// <summary>It leads over a relay that is not there any more.</summary>
    public bool IsGone(KnownPath path)
    {
        if (path.Kind == PathKind.Direct)
        {
            return false;
        }

        foreach (RelayWay relay in _relays)
        {
            if (relay.Address.Equals(path.Address))
            {
                return false;
            }
        }

        return true;
    }
}
