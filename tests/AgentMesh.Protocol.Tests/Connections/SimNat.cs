using System.Net;
using System.Net.Sockets;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>How a box maps and filters (RFC 4787).</summary>
internal enum NatType
{
    None,
    FullCone,
    AddressRestricted,
    PortRestricted,

    /// <summary>Maps nothing, and lets in only what answers: the router of a home with IPv6.</summary>
    Firewall,

    Symmetric,

    /// <summary>Maps dependently, each time to the next port.</summary>
    SymmetricSequential,
}

/// <summary>What stands between a device and the internet; null for a family of which it has no address.</summary>
internal sealed record SimHome(SimNat? Ipv4, SimNat? Ipv6 = null)
{
    /// <summary>What a datagram to or from this address passes.</summary>
    public SimNat? BoxOf(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork ? Ipv4 : Ipv6;
}

/// <summary>One NAT before the sockets of a home, perhaps behind another one. A box of type None is none: sockets keep their ports, as they do behind a firewall.</summary>
internal sealed class SimNat(NatType type, IPAddress outside, Random random, SimNat? outer = null)
{
    private static readonly IPEndPoint Main = IPEndPoint.Parse("192.168.1.2:14592");

    private readonly Dictionary<(IPEndPoint Socket, IPEndPoint? To), int> _ports = [];
    private readonly Dictionary<int, IPEndPoint> _owners = [];
    private readonly HashSet<(int Port, IPEndPoint To)> _sent = [];
    private int _next = random.Next(1024, 60_000);

    /// <summary>The address that the internet sees.</summary>
    public IPAddress Outside => outer?.Outside ?? outside;

    /// <summary>Sockets are seen as they are.</summary>
    public bool IsNone => type is NatType.None or NatType.Firewall && outer is null;

    private bool IsDependent => type is NatType.Symmetric or NatType.SymmetricSequential;

    /// <summary>Where a datagram of the usual socket to this address seems to come from.</summary>
    public IPEndPoint Out(IPEndPoint to) => Out(Main, to);

    /// <summary>A socket beside the usual one.</summary>
    public IPEndPoint Out(ushort spare, IPEndPoint to) => Out(new IPEndPoint(Main.Address, 20_000 + spare), to);

    /// <summary>Whether a datagram gets to the usual socket.</summary>
    public bool LetsIn(int port, IPEndPoint from) => In(port, from) is { } socket && socket.Equals(Main);

    /// <summary>The socket that a datagram gets to: -1 for the usual one, the number of a spare one; null where it is dropped.</summary>
    public int? Find(int port, IPEndPoint from) => In(port, from) is { } socket ? socket.Equals(Main) ? -1 : socket.Port - 20_000 : null;

    /// <summary>Somebody else behind the box takes the next ports.</summary>
    public void Take(int ports)
    {
        _next += ports;
        outer?.Take(ports);
    }

    /// <summary>The box forgets everything, as after a restart.</summary>
    public void Forget()
    {
        _ports.Clear();
        _owners.Clear();
        _sent.Clear();
    }

    private IPEndPoint Out(IPEndPoint socket, IPEndPoint to)
    {
        (IPEndPoint, IPEndPoint?) key = (socket, IsDependent ? to : null);
        if (!_ports.TryGetValue(key, out int port))
        {
            do
            {
                port = type switch
                {
                    NatType.None or NatType.Firewall => socket.Port,
                    NatType.SymmetricSequential => _next = _next >= 65_000 ? 1024 : _next + 1,
                    _ => random.Next(1024, 65_536),
                };
            }
            while (!_owners.TryAdd(port, socket));
            _ports[key] = port;
        }

        _sent.Add((port, to));
        var here = new IPEndPoint(outside, port);
        return outer?.Out(here, to) ?? here;
    }

    private IPEndPoint? In(int port, IPEndPoint from)
    {
        if (outer is not null)
        {
            // Other homes may be behind the same outer one.
            if (outer.In(port, from) is not { } inner || !inner.Address.Equals(outside))
            {
                return null;
            }

            port = inner.Port;
        }

        bool isLet = type switch
        {
            NatType.None or NatType.FullCone => _sent.Any(each => each.Port == port),
            NatType.AddressRestricted => _sent.Any(each => each.Port == port && each.To.Address.Equals(from.Address)),
            _ => _sent.Contains((port, from)),
        };
        return isLet ? _owners.GetValueOrDefault(port) : null;
    }
}
