using System.Collections.Concurrent;
using System.Net;
using AgentMesh.Protocol.Relaying;
using AgentMesh.Transport.Udp;

namespace AgentMesh.Transport.Tunnels;

/// <summary>A way for datagrams to one other endpoint, beside the UDP sockets.</summary>
public interface IDatagramTunnel
{
    /// <summary>Takes a datagram or drops it, as a network does; never waits. The bytes are the caller's again afterwards.</summary>
    void Send(ReadOnlySpan<byte> datagram);

    /// <summary>The server that passes on, where what is at the other end is not that server itself.</summary>
    string? RelayName => null;
}

/// <summary>The tunnels of an endpoint, each behind an address that stands for it. Thread-safe. Who adds tunnels bounds their number.</summary>
public sealed class DatagramTunnels
{
    /// <summary>What Ethernet carries: a connection that moves from a tunnel to UDP has no greater datagrams than fit there.</summary>
    public const int DatagramBytesMax = 1500;

    private readonly ConcurrentDictionary<ulong, IDatagramTunnel> _byNumber = new();
    private ulong _last;

    public int Count => _byNumber.Count;

    /// <returns>The address that stands for it; given to no other tunnel of this process.</returns>
    public IPEndPoint Add(IDatagramTunnel tunnel)
    {
        ulong number = Interlocked.Increment(ref _last);
        _byNumber[number] = tunnel;
        return TunnelAddress.Of(number);
    }

    internal string? RelayNameOf(IPEndPoint address) => TunnelAddress.TryRead(address.Serialize(), out ulong number) ? _byNumber.GetValueOrDefault(number)?.RelayName : null;

    internal void Remove(IPEndPoint address)
    {
        if (TunnelAddress.TryRead(address.Serialize(), out ulong number))
        {
            _byNumber.TryRemove(number, out _);
        }
    }

    internal SendOutcome Send(ReadOnlySpan<byte> datagrams, int datagramBytes, ulong number)
    {
        if (datagramBytes > DatagramBytesMax)
        {
            return SendOutcome.TooLong;
        }

        if (!_byNumber.TryGetValue(number, out IDatagramTunnel? tunnel))
        {
            return SendOutcome.Refused;
        }

        for (int at = 0; at < datagrams.Length; at += datagramBytes)
        {
            tunnel.Send(datagrams.Slice(at, Math.Min(datagramBytes, datagrams.Length - at)));
        }

        return SendOutcome.Sent;
    }
}
