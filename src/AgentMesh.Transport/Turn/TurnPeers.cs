using System.Net;

namespace AgentMesh.Transport.Turn;

/// <summary>The addresses that an allocation speaks with, at most <see cref="TurnRelay.PeersMax"/>. Guarded by its relay, except for what ends tunnels.</summary>
internal sealed class TurnPeers(TurnRelay relay, MeshEndpoint endpoint)
{
    private readonly Dictionary<IPEndPoint, TurnPeer> _peers = [];

    public int Count => _peers.Count;

    /// <param name="evicted">The tunnel that has to make room, to be ended outside the lock.</param>
    /// <returns>Null when all others are in use.</returns>
    public TurnPeer? Find(IPEndPoint remote, out IPEndPoint? evicted)
    {
        evicted = null;
        if (_peers.TryGetValue(remote, out TurnPeer? peer))
        {
            return peer;
        }

        if (_peers.Count >= TurnRelay.PeersMax)
        {
            if (_peers.OrderBy(each => each.Value.UsedAt).FirstOrDefault(each => !endpoint.IsInUse(each.Value.Address)) is not { Value: { } idle } oldest)
            {
                return null;
            }

            _peers.Remove(oldest.Key);
            evicted = idle.Address;
        }

        return _peers[remote] = new TurnPeer(relay, remote, endpoint.Tunnels) { UsedAt = endpoint.Now.Monotonic };
    }

    /// <returns>Their tunnels, to be ended outside the lock.</returns>
    public IPEndPoint[] Clear()
    {
        IPEndPoint[] ended = [.. _peers.Values.Select(peer => peer.Address)];
        _peers.Clear();
        return ended;
    }

    public void End(params ReadOnlySpan<IPEndPoint?> tunnels)
    {
        foreach (IPEndPoint? tunnel in tunnels)
        {
            if (tunnel is not null)
            {
                endpoint.EndTunnel(tunnel);
            }
        }
    }
}
