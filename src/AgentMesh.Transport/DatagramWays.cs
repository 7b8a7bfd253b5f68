using System.Net;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Relaying;
using AgentMesh.Transport.Relaying;
using AgentMesh.Transport.Spare;
using AgentMesh.Transport.Tunnels;
using AgentMesh.Transport.Udp;

namespace AgentMesh.Transport;

/// <summary>The ways that datagrams leave an endpoint by; the address says which: a socket, a spare socket, a tunnel, or a channel of a relay, which is inside one of those.</summary>
internal sealed class DatagramWays(EndpointSockets sockets, RelayChannels relays, DatagramTunnels tunnels, EndpointCounting counting)
{
    private bool _silent;

    [ThreadStatic]
    private static byte[]? t_envelopes;

    [ThreadStatic]
    private static SerializedAddress t_sendTo;

    /// <summary>Set once, before anything is sent.</summary>
    public SpareSockets Spares { get; set; } = null!;

    /// <summary>For tests: from now on nothing is sent, as after a cut cable.</summary>
    public void GoSilent() => Volatile.Write(ref _silent, true);

    /// <summary>By UDP, as a part of what a tunnel was given and was counted for.</summary>
    public void SendWithin(ReadOnlySpan<byte> datagram, IPEndPoint to)
    {
        if (!Volatile.Read(ref _silent))
        {
            sockets.Send(datagram, datagram.Length, t_sendTo.Of(to));
        }
    }

    public void Send(ReadOnlySpan<byte> datagram, IPEndPoint to) => Send(datagram, datagram.Length, t_sendTo.Of(to));

    /// <summary>
    /// Sends, with the first socket of the family, datagrams that lie one behind the other, each <paramref name="datagramBytes"/> long but the last, which may be shorter.
    /// </summary>
    /// <param name="ecn">Only where a socket sends them as they are.</param>
    public SendOutcome Send(ReadOnlySpan<byte> datagrams, int datagramBytes, SocketAddress to, EcnCodepoint ecn = EcnCodepoint.NotEct)
    {
        if (Volatile.Read(ref _silent))
        {
            return SendOutcome.Sent;
        }

        if (RelayAddress.TryRead(to, out ulong channel))
        {
            return SendRelayed(datagrams, datagramBytes, channel);
        }

        SendOutcome outcome = TunnelAddress.TryRead(to, out ulong tunnel) ? tunnels.Send(datagrams, datagramBytes, tunnel)
            : SpareAddress.TryReadSocket(to, out ushort spare) ? Spares.Send(spare, datagrams, datagramBytes, to)
            : sockets.Send(datagrams, datagramBytes, to, ecn);
        counting.Sent((datagrams.Length + datagramBytes - 1) / datagramBytes, outcome == SendOutcome.Sent);
        return outcome;
    }

    private SendOutcome SendRelayed(ReadOnlySpan<byte> datagrams, int datagramBytes, ulong channel)
    {
        // A beacon that is itself reached by a relay would be a circle.
        if (relays.Find(channel)?.Beacon.Remote is not { } beacon || RelayAddress.IsChannel(beacon))
        {
            counting.Sent(1, succeeded: false);
            return SendOutcome.Refused;
        }

        int count = (datagrams.Length + datagramBytes - 1) / datagramBytes, needed = datagrams.Length + (count * RelayEnvelope.HeaderBytes), length = 0;
        if (t_envelopes is null || t_envelopes.Length < needed)
        {
            t_envelopes = GC.AllocateUninitializedArray<byte>(needed);
        }

        for (int at = 0; at < datagrams.Length; at += datagramBytes)
        {
            length += RelayEnvelope.Write(t_envelopes.AsSpan(length), channel, datagrams.Slice(at, Math.Min(datagramBytes, datagrams.Length - at)));
        }

        return Send(t_envelopes.AsSpan(0, length), datagramBytes + RelayEnvelope.HeaderBytes, t_sendTo.Of(beacon));
    }
}
