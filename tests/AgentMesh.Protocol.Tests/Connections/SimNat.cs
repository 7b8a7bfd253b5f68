using System.Net;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>How a box maps and filters (RFC 4787).</summary>
internal enum NatType
{
    None,
    FullCone,
    AddressRestricted,
    PortRestricted,
    Symmetric,
}

/// <summary>One NAT with one device behind it.</summary>
internal sealed class SimNat(NatType type, IPAddress outside, Random random)
{
    private readonly Dictionary<IPEndPoint, int> _ports = [];
    private readonly HashSet<(int Port, IPEndPoint To)> _sent = [];
    private int _conePort;

    public IPAddress Outside => outside;

    /// <summary>Where a datagram to this address seems to come from.</summary>
    public IPEndPoint Out(IPEndPoint to)
    {
        int port;
        if (type == NatType.Symmetric)
        {
            if (!_ports.TryGetValue(to, out port))
            {
                _ports[to] = port = random.Next(1024, 65536);
            }
        }
        else
        {
            port = _conePort = _conePort == 0 ? random.Next(1024, 65536) : _conePort;
        }

        _sent.Add((port, to));
        return new IPEndPoint(outside, port);
    }

    /// <summary>Whether a datagram from there to this port of the outside gets in.</summary>
    public bool LetsIn(int port, IPEndPoint from) => type switch
    {
        NatType.None or NatType.FullCone => _sent.Any(each => each.Port == port),
        NatType.AddressRestricted => _sent.Any(each => each.Port == port && each.To.Address.Equals(from.Address)),
        _ => _sent.Contains((port, from)),
    };

    /// <summary>The box forgets everything, as after a restart.</summary>
    public void Forget()
    {
        _ports.Clear();
        _sent.Clear();
        _conePort = 0;
    }
}
