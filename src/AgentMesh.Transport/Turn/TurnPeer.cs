using System.Net;
using AgentMesh.Transport.Tunnels;

namespace AgentMesh.Transport.Turn;

/// <summary>One address that this device's allocation sends to and hears from, as a tunnel.</summary>
internal sealed class TurnPeer : IDatagramTunnel
{
    private readonly TurnRelay _relay;
    private readonly IPEndPoint _remote;

    public TurnPeer(TurnRelay relay, IPEndPoint remote, DatagramTunnels tunnels)
    {
        _relay = relay;
        _remote = remote;
        Address = tunnels.Add(this);
    }

    /// <summary>Stands for it wherever an address is wanted.</summary>
    public IPEndPoint Address { get; }

    public string? RelayName => _relay.Server.Host;

    /// <summary>Guarded by the relay.</summary>
    public TimeSpan UsedAt { get; set; }

    public void Send(ReadOnlySpan<byte> datagram) => _relay.Send(this, _remote, datagram);
}

/// <summary>The address of another device's allocation, sent to by UDP: the other end of a relay of which this device has none itself.</summary>
internal sealed class TurnFarEnd : IDatagramTunnel
{
    private readonly MeshEndpoint _endpoint;
    private readonly IPEndPoint _relayed;

    public TurnFarEnd(MeshEndpoint endpoint, RelayedPlace place)
    {
        _endpoint = endpoint;
        _relayed = place.Address;
        RelayName = place.Host;
        Address = endpoint.Tunnels.Add(this);
    }

    public IPEndPoint Address { get; }

    public string? RelayName { get; }

    public void Send(ReadOnlySpan<byte> datagram) => _endpoint.SendWithin(datagram, _relayed);
}
