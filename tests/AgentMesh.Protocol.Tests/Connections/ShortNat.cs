using System.Net;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>A NAT that takes ports back: after silence, at some age, or when it is told to. Lets in whatever comes for a port that it has given out.</summary>
internal sealed class ShortNat(TimeSpan idle, TimeSpan absolute, Random random)
{
    private readonly Dictionary<ushort, Mapping> _mappings = [];
    private IPAddress _outside = IPAddress.Parse("203.0.113.1");

    public bool IsOutside(IPAddress address) => address.ToString().StartsWith("203.0.113.", StringComparison.Ordinal);

    public IPEndPoint Out(ushort socket, TimeSpan now)
    {
        if (!_mappings.TryGetValue(socket, out Mapping? mapping) || IsOver(mapping, now))
        {
            IPEndPoint outside;
            do
            {
                outside = new IPEndPoint(_outside, random.Next(1024, 65_536));
            }
            while (_mappings.Values.Any(other => other.Outside.Equals(outside) && !IsOver(other, now)));
            _mappings[socket] = mapping = new Mapping(outside, now);
        }

        mapping.UsedAt = now;
        return mapping.Outside;
    }

    /// <summary>The socket that the datagram gets to: 0 is the usual one; null where it is dropped.</summary>
    public ushort? In(IPEndPoint to, TimeSpan now)
    {
        foreach ((ushort socket, Mapping mapping) in _mappings)
        {
            if (mapping.Outside.Equals(to) && !IsOver(mapping, now))
            {
                mapping.UsedAt = now;
                return socket;
            }
        }

        return null;
    }

    /// <summary>Everything gets another port at another address, without a word.</summary>
    public void Rebind()
    {
        _outside = IPAddress.Parse($"203.0.113.{random.Next(2, 200)}");
        _mappings.Clear();
    }

    private bool IsOver(Mapping mapping, TimeSpan now) => now - mapping.UsedAt >= idle || now - mapping.BornAt >= absolute;

    private sealed class Mapping(IPEndPoint outside, TimeSpan bornAt)
    {
        public IPEndPoint Outside => outside;

        public TimeSpan BornAt { get; } = bornAt;

        public TimeSpan UsedAt { get; set; } = bornAt;
    }
}
