using System.Net;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Tests.Handshake;

namespace Simulation.Reach;

/// <content>
/// "I have forgotten this session": invented, provoked with packets to ids that he saw, and repeated in later sessions. Only a device that was truly started again ends a session so.
/// </content>
internal sealed partial class AttackWorld
{
    private void Resets()
    {
        const string part = "resets";
        var net = new HandshakeNet();
        TestDevice a = net.Add(3), b = net.Add(4);
        a.Admit(b);
        b.Admit(a);
        var seen = new HashSet<ConnectionId>();
        var stolen = new List<byte[]>();
        int watched = 0, provoked = 0;
        long given = 0, taken = 0;
        for (int round = 0; round < 3; round++)
        {
            // He sees every id on the way before its receiver has the packet, and sends packets of his own to it.
            net.Filter = (from, to, bytes) =>
            {
                Watch(bytes);
                foreach (ConnectionId id in seen.TakeLast(4))
                {
                    Provoke(to, id);
                    Provoke(from, id);
                }

                return true;
            };
            a.Connect(b);
            net.Run();
            Require(a.Sessions.Count == round + 1 && b.Sessions.Count > 0, $"{part}: no session in round {round}");
            using var near = new Connection(a.Session, new ConnectionSettings(), new MtuSettings(), net.Now.Monotonic);
            using var far = new Connection(b.Session, new ConnectionSettings(), new MtuSettings(), net.Now.Monotonic);
            seen.Add(a.Session.LocalConnectionId);
            seen.Add(a.Session.RemoteConnectionId);
            for (int i = 0; i < 200; i++)
            {
                foreach (ConnectionId id in seen)
                {
                    // What belongs to a session that is over may be told; nothing of this one.
                    Provoke(a, id);
                    Provoke(b, id);
                }

                net.Run();
                net.Advance(Seconds(0.01 * Random.NextDouble()));
                Connection target = Chance(0.5) ? near : far;
                target.HandleReset(Random.Next(4) switch
                {
                    0 => new byte[OwnConnectionIds.ResetTokenBytes],
                    1 when stolen.Count > 0 => stolen[Random.Next(stolen.Count)].AsSpan(9),
                    2 => (Chance(0.5) ? a.Session : b.Session).RemoteParameters.Span.Slice(HandshakeEndpoint.ResetTokenOffset - 1 - Random.Next(8), OwnConnectionIds.ResetTokenBytes),
                    _ => Junk(OwnConnectionIds.ResetTokenBytes),
                });
            }

            Require(near.IsOpen && far.IsOpen, $"{part}: a session was ended by who does not know its secret: {near.End}, {far.End}");
            Require(!stolen.Exists(reset => ConnectionId.Read(reset.AsSpan(1)) == a.Session.RemoteConnectionId || ConnectionId.Read(reset.AsSpan(1)) == a.Session.LocalConnectionId), $"{part}: the secret of a session that lives was told");
            b = net.Add(5 + round, identity: b.Identity); // elsewhere, with other chance
            b.Admit(a);
            net.Advance(Seconds(0.2));

            // One of the two is started again: now its answer is true, and short.
            byte[] packet = HandshakeNet.Packet(a.Session, 1_000, net.Now.Monotonic);
            net.Deliver(b, a.Address, packet);
            net.Run();
            byte[]? reset = net.Sent.LastOrDefault(sent => sent.From == b && sent.To.Equals(a.Address) && Datagrams.KindOf(sent.Bytes) == DatagramKind.Reset).Bytes;
            Require(reset is not null && reset.Length < packet.Length && ResetMessage.TryRead(reset, out _, out _), $"{part}: a packet of a forgotten session was not answered");
            near.HandleReset(reset.AsSpan(9));
            Require(!near.IsOpen && near.End.Code == CloseCodes.Forgotten, $"{part}: a true reset ended nothing");
        }

        Require(taken <= given, $"{part}: {taken} bytes to victims for {given}");
        Count("packets to ids of others", provoked);
        Count("resets of sessions that were over", stolen.Count);
        Steps += provoked;

        void Watch(byte[] bytes)
        {
            switch (Datagrams.KindOf(bytes))
            {
                case DatagramKind.Packet:
                    seen.Add(ConnectionId.Read(bytes.AsSpan(PacketLayout.ConnectionIdOffset)));
                    break;
                case DatagramKind.Initiation or DatagramKind.Response:
                    seen.Add(ConnectionId.Read(bytes.AsSpan(4)));
                    break;
            }
        }

        void Provoke(TestDevice device, ConnectionId id)
        {
            byte[] bytes = Junk(PacketLayout.MinPacketBytes + Random.Next(60));
            bytes[0] = (byte)((int)DatagramKind.Packet | Random.Next(64));
            id.Write(bytes.AsSpan(PacketLayout.ConnectionIdOffset));
            IPEndPoint from = Victim(Random.Next(5));
            provoked++;
            given += bytes.Length;
            net.Deliver(device, from, bytes);
            foreach ((_, IPEndPoint to, byte[] sent) in net.Sent.Skip(watched))
            {
                if (Datagrams.KindOf(sent) == DatagramKind.Reset && to.Address.ToString().StartsWith("203.0.113.", StringComparison.Ordinal))
                {
                    taken += sent.Length;
                    stolen.Add(sent);
                }
            }

            watched = net.Sent.Count;
        }
    }
}
