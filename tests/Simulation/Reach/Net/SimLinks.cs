using System.Net;
using System.Net.NetworkInformation;

namespace Simulation.Reach.Net;

/// <summary>An interface of a host: its address on a link, and how many bits of it all addresses of that link begin with.</summary>
internal sealed record SimInterface(string Name, string Link, IPAddress Address, int PrefixBits)
{
    /// <summary>It has a gateway.</summary>
    public bool LeadsOut { get; init; }

    public NetworkInterfaceType Type { get; init; } = NetworkInterfaceType.Ethernet;

    public bool Covers(IPAddress address)
    {
        byte[] own = Address.GetAddressBytes(), other = address.GetAddressBytes();
        if (own.Length != other.Length)
        {
            return false;
        }

        int bits = 0;
        while (bits < PrefixBits && (own[bits / 8] & (0x80 >> (bits % 8))) == (other[bits / 8] & (0x80 >> (bits % 8))))
        {
            bits++;
        }

        return bits == PrefixBits;
    }
}

/// <summary>
/// Local networks, each with a name: who is at an address depends on where one asks. As with routing tables, the longest prefix that fits decides where a datagram goes,
/// also when what it was meant for is elsewhere; an address of the host itself never leaves it.
/// </summary>
internal sealed class SimLinks(SimInternet net)
{
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(1);

    private readonly List<Stranger> _strangers = [];

    /// <summary>Datagrams that were meant for somebody else and never left their host.</summary>
    public long SentToSelf { get; private set; }

    public IReadOnlyList<Stranger> Strangers => _strangers;

    public void Add(Stranger stranger) => _strangers.Add(stranger);

    /// <returns>False where it is for none of the host's links.</returns>
    public bool TrySend(NetHost from, ReadOnlySpan<byte> datagram, IPEndPoint to)
    {
        if (from.Interfaces.Where(each => each.Covers(to.Address)).MaxBy(each => each.PrefixBits) is not { } way)
        {
            return false;
        }

        if (from.Queue(datagram.Length, net.Now) is not { } leaves)
        {
            return true;
        }

        byte[] copy = datagram.ToArray();
        TimeSpan there = leaves + Delay;
        var seen = new IPEndPoint(way.Address, NetHost.Port);
        if (from.Interfaces.Any(each => each.Address.Equals(to.Address)))
        {
            SentToSelf++;
            net.At(leaves, () => from.ArriveOnLink(copy, seen, to));
        }
        else if (_strangers.Find(each => each.Link == way.Link && each.Address.Address.Equals(to.Address)) is { } stranger)
        {
            net.At(there, () => stranger.Take(copy, seen, back => net.After(Delay, () => from.ArriveOnLink([.. back], stranger.Address, seen))));
        }
        else if (net.Hosts.FirstOrDefault(host => host.Interfaces.Any(each => each.Link == way.Link && each.Address.Equals(to.Address))) is { } target)
        {
            net.At(there, () => target.ArriveOnLink(copy, seen, to));
        }

        return true;
    }

    /// <summary>To all others on the links of a host, on the port of announcements.</summary>
    public void Multicast(NetHost from, Func<IPAddress, byte[]> datagram)
    {
        foreach (SimInterface way in from.Interfaces)
        {
            byte[] sent = datagram(way.Address);
            foreach (NetHost target in net.Hosts.Where(host => host != from && host.Interfaces.Any(each => each.Link == way.Link)))
            {
                net.After(Delay, () => target.HearMulticast(sent, way.Address));
            }
        }
    }
}
