using System.Net;

namespace AgentMesh.Protocol.Stun.Turn;

/// <summary>
/// The peers that have a channel, which saves 32 bytes on each datagram (RFC 8656, section 12). One is bound for a peer that much is said to or heard from, and renewed
/// while that lasts. Numbers are given out in turn: one that ran out means another peer to the server for five minutes yet. Bounded.
/// </summary>
internal sealed class TurnChannels(int max)
{
    /// <summary>A peer is worth a channel after so many datagrams.</summary>
    public const int WorthIt = 16;

    // RFC 8656: a binding lasts 600 s.
    private static readonly TimeSpan RenewAfter = TimeSpan.FromMinutes(8);
    private static readonly TimeSpan EndsAfter = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan UnusedAfter = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan RefusedFor = TimeSpan.FromMinutes(10);

    private readonly Dictionary<IPEndPoint, Channel> _byPeer = [];
    private readonly Dictionary<ushort, Channel> _byNumber = [];
    private ushort _next = TurnChannelData.First;

    public int Bound => _byNumber.Count;

    /// <summary>A datagram to or from it.</summary>
    /// <param name="isNowWorthIt">It is to be bound from now on.</param>
    /// <returns>The number where it is bound, 0 where not.</returns>
    public ushort Use(IPEndPoint peer, TimeSpan now, out bool isNowWorthIt)
    {
        isNowWorthIt = false;
        if (!_byPeer.TryGetValue(peer, out Channel? channel))
        {
            if (_byPeer.Count >= max && !MakeRoom(now))
            {
                return 0;
            }

            _byPeer[peer] = channel = new Channel(peer);
        }

        isNowWorthIt = ++channel.Used == WorthIt;
        channel.UsedAt = now;
        return channel.BoundAt is { } at && now - at < EndsAfter ? channel.Number : (ushort)0;
    }

    public IPEndPoint? PeerOf(ushort number) => _byNumber.GetValueOrDefault(number)?.Peer;

    /// <summary>The peer to bind now, with the number to ask for; null when none is.</summary>
    public (IPEndPoint Peer, ushort Number)? Due(TimeSpan now)
    {
        foreach (Channel channel in _byPeer.Values.Where(channel => now - channel.UsedAt < UnusedAfter && channel.Used >= WorthIt && channel.DueAt <= now))
        {
            if (channel.BoundAt is not { } at || now - at >= EndsAfter)
            {
                Unbind(channel);
                channel.Number = _next;
                _next = _next == TurnChannelData.Last ? TurnChannelData.First : (ushort)(_next + 1);
            }

            return (channel.Peer, channel.Number);
        }

        return null;
    }

    public TimeSpan? NextDue(TimeSpan now)
    {
        TimeSpan? next = null;
        foreach (Channel channel in _byPeer.Values.Where(channel => channel.Used >= WorthIt && now - channel.UsedAt < UnusedAfter))
        {
            next = next is null || channel.DueAt < next ? channel.DueAt : next;
        }

        return next;
    }

    public void Granted(IPEndPoint peer, TimeSpan now)
    {
        if (_byPeer.TryGetValue(peer, out Channel? channel))
        {
            channel.BoundAt = now;
            channel.DueAt = now + RenewAfter;
            _byNumber[channel.Number] = channel;
        }
    }

    public void Refused(IPEndPoint peer, TimeSpan now)
    {
        if (_byPeer.TryGetValue(peer, out Channel? channel))
        {
            Unbind(channel);
            channel.DueAt = now + RefusedFor;
        }
    }

    /// <summary>The allocation is another one: nothing is bound.</summary>
    public void Forget()
    {
        _byPeer.Clear();
        _byNumber.Clear();
    }

    private bool MakeRoom(TimeSpan now)
    {
        Channel? unused = _byPeer.Values.Where(channel => now - channel.UsedAt > TimeSpan.FromMinutes(1)).MinBy(channel => channel.UsedAt);
        if (unused is null)
        {
            return false;
        }

        Unbind(unused);
        return _byPeer.Remove(unused.Peer);
    }

    private void Unbind(Channel channel)
    {
        _byNumber.Remove(channel.Number);
        channel.BoundAt = null;
    }

    private sealed class Channel(IPEndPoint peer)
    {
        public IPEndPoint Peer => peer;

        public ushort Number { get; set; }

        public int Used { get; set; }

        public TimeSpan UsedAt { get; set; }

        public TimeSpan DueAt { get; set; }

        public TimeSpan? BoundAt { get; set; }
    }
}
