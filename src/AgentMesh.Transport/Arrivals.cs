using System.Net;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Relaying;
using AgentMesh.Protocol.Stun;
using AgentMesh.Transport.Relaying;
using AgentMesh.Transport.Spare;
using AgentMesh.Transport.Udp;

namespace AgentMesh.Transport;

/// <summary>What arrives at the endpoint, from sockets and tunnels, goes to what it is for; the rest is counted. Never throws for bytes.</summary>
internal sealed class Arrivals(MeshEndpoint endpoint, ConnectionTable connections, Dialer dialer, EndpointSockets sockets, EndpointCounting counting)
{
    // Datagrams and bytes that are handled before answers are sent: one acknowledgement then covers them all, and the other side can go on meanwhile.
    private const int BatchMax = BatchSender.DatagramsMax;
    private const int BatchBytesMax = 60_000;

    [ThreadStatic]
    private static List<MeshConnection>? t_touched;

    private IRelay? _relay;

    /// <summary>Takes relayed datagrams that are on no channel of this device.</summary>
    public IRelay? Relay
    {
        get => Volatile.Read(ref _relay);
        set => Volatile.Write(ref _relay, value);
    }

    /// <summary>Takes the messages of pairing by code, on the thread that receives: must not wait. Null: they are dropped.</summary>
    public Action<ReadOnlySpan<byte>, IPEndPoint>? PairingTaker { get; set; }

    /// <summary>Takes answers of STUN servers, on the thread that receives: must not wait. Null: they are dropped.</summary>
    public Action<ReadOnlySpan<byte>, IPEndPoint>? StunTaker { get; set; }

    /// <summary>The loop of a socket's thread, until the socket is closed.</summary>
    public void Receive(UdpSocket socket)
    {
        using DatagramReceiver receiver = socket.NewReceiver();
        var touched = new List<MeshConnection>();
        while (receiver.TryReceive(out int count))
        {
            int handled = 0, bytes = 0;
            for (int i = 0; i < count; i++)
            {
                ArrivedDatagrams arrived = receiver.Get(i);
                sockets.Trace?.Take(arrived.From, socket.Local, isInbound: true, arrived.Bytes, arrived.DatagramBytes);

                // No network carries such a source; who sends it by hand must not be taken for a relay or a tunnel.
                handled += RelayAddress.IsRelay(arrived.From) ? 1
                    : endpoint.Turn.TryStandIn(arrived.From, out IPEndPoint? relay) ? Handle(new ArrivedDatagrams(arrived.Bytes, arrived.DatagramBytes, relay), touched)
                    : Handle(arrived, touched);
                bytes += arrived.Bytes.Length;
                if (handled >= BatchMax || bytes >= BatchBytesMax || i == count - 1)
                {
                    foreach (MeshConnection connection in touched)
                    {
                        connection.Flush();
                    }

                    touched.Clear();
                    handled = bytes = 0;
                }
            }
        }
    }

    // Packets of connections that began elsewhere, and answers of observers; nothing else has any business here.
    public void TakeSpare(SpareSocket socket, Memory<byte> datagram, IPEndPoint from)
    {
        DatagramKind kind = Datagrams.KindOf(datagram.Span);
        if (kind is not (DatagramKind.Packet or DatagramKind.Reset or DatagramKind.ObserverAnswer) || endpoint.IsStopped)
        {
            counting.Unknown();
            return;
        }

        TakeOne(datagram.Span, from);
    }

    public void TakeOne(Span<byte> datagram, IPEndPoint from)
    {
        // Sending may come back here on the same thread, from a tunnel that ends in this process: the list is nobody else's meanwhile.
        List<MeshConnection> touched = t_touched ?? [];
        t_touched = null;
        Handle(new ArrivedDatagrams(datagram, datagram.Length, from), touched);
        touched.ForEach(connection => connection.Flush());
        touched.Clear();
        t_touched = touched;
    }

    private void HandleRelayed(Span<byte> datagram, IPEndPoint from, List<MeshConnection> touched)
    {
        if (RelayEnvelope.TryReadNotice(datagram, out ulong doubted) && endpoint.Relays.Find(doubted) is not null)
        {
            endpoint.Relays.Doubt(doubted, from);
        }
        else if (RelayEnvelope.TryRead(datagram, out ulong id) && endpoint.Relays.Find(id) is { } channel && channel.Beacon.IsAt(from)
            && Datagrams.KindOf(datagram[RelayEnvelope.HeaderBytes..]) is not (DatagramKind.Relayed or DatagramKind.RelayNotice))
        {
            Handle(datagram[RelayEnvelope.HeaderBytes..], datagram.Length - RelayEnvelope.HeaderBytes, channel.Address, EcnCodepoint.NotEct, touched);
        }
        else if (Relay is { } relay)
        {
            endpoint.ReceiveLimit.Count(datagram.Length);
            relay.Relay(datagram, from);
        }
        else
        {
            counting.UnknownChannel();
        }
    }

    private void TakeReset(ReadOnlySpan<byte> datagram)
    {
        if (ResetMessage.TryRead(datagram, out ConnectionId id, out ReadOnlySpan<byte> token) && connections.FindByRemoteId(id) is { } connection)
        {
            connection.HandleReset(token);
        }
        else
        {
            counting.Unknown();
        }
    }

    /// <returns>How many datagrams there were.</returns>
    private int Handle(in ArrivedDatagrams arrived, List<MeshConnection> touched)
    {
        int count = 0;
        ArrivedDatagrams rest = arrived;
        do
        {
            int run = rest.BytesToOneReceiver();
            Handle(rest.Bytes[..run], rest.DatagramBytes, rest.From, rest.Ecn, touched);
            count += Math.Max(1, (run + rest.DatagramBytes - 1) / rest.DatagramBytes);
            rest = rest.After(run);
        }
        while (!rest.Bytes.IsEmpty);
        counting.Received(count);
        return count;
    }

    private void Handle(Span<byte> datagrams, int datagramBytes, IPEndPoint from, EcnCodepoint ecn, List<MeshConnection> touched)
    {
        DatagramKind kind = Datagrams.KindOf(datagrams);
        if (kind is DatagramKind.Relayed or DatagramKind.RelayNotice)
        {
            HandleRelayed(datagrams, from, touched);
            return;
        }

        if (kind == DatagramKind.ObserverAnswer)
        {
            endpoint.Observers.Take(datagrams, from);
            return;
        }

        if (kind == DatagramKind.Unknown && StunTaker is { } stun && StunMessage.IsLikely(datagrams))
        {
            stun(datagrams[..Math.Min(datagramBytes, datagrams.Length)], from);
            return;
        }

        if (kind == DatagramKind.Reset)
        {
            TakeReset(datagrams[..Math.Min(datagramBytes, datagrams.Length)]);
            return;
        }

        if (kind == DatagramKind.Pairing && PairingTaker is { } taker)
        {
            taker(datagrams, from);
            return;
        }

        if (kind != DatagramKind.Packet)
        {
            counting.Handshake(dialer.HandleDatagram(datagrams, from));
            return;
        }

        Span<byte> first = datagrams[..Math.Min(datagramBytes, datagrams.Length)];
        if (!PacketLayout.TryReadDestination(first, out ConnectionId destination))
        {
            counting.Handshake(HandshakeOutcome.Malformed);
            return;
        }

        MeshConnection? connection = connections.Find(destination) ?? (dialer.TryConfirm(first, from) ? connections.Find(destination) : null);
        if (connection is null)
        {
            counting.Unknown();
            return;
        }

        connection.Handle(datagrams, datagramBytes, from, ecn);
        if (!touched.Contains(connection))
        {
            touched.Add(connection);
        }
    }
}
