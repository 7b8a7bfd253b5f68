using System.Net;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Tests.Handshake;

namespace Simulation.Reach;

/// <content>Initiations that are invented, repeated and sent from where nobody is, a thousand a second; answers that are forged. Meanwhile a device connects.</content>
internal sealed partial class AttackWorld
{
    private const string Connected = "connected under a flood, s";

    private const int PerSecondBeforeCookies = 100;
    private const int PerSecondPerAddress = 20;

    private static readonly TimeSpan FloodTime = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan FloodStep = TimeSpan.FromMilliseconds(10);

    private void Handshakes()
    {
        var net = new HandshakeNet();
        var settings = new HandshakeSettings { InitiationsPerSecondBeforeCookies = PerSecondBeforeCookies, InitiationsPerSecondPerAddress = PerSecondPerAddress };
        TestDevice target = net.Add(2, settings), earlier = net.Add(3), late = net.Add(4);
        foreach (TestDevice device in new[] { earlier, late })
        {
            target.Admit(device);
            device.Admit(target);
        }

        earlier.Connect(target);
        net.Run();
        Require(target.Sessions.Count == 1, "there was no session before the attack");
        List<byte[]> recorded = [.. net.Sent.Select(sent => sent.Bytes)];

        var came = new Dictionary<IPEndPoint, long>();
        int agreements = 0, seen = net.Sent.Count, attacks = 0;
        TimeSpan begins = Between(Seconds(0.2), Seconds(0.5)), took = TimeSpan.MaxValue;
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        bool hasBegun = false;
        for (TimeSpan at = TimeSpan.Zero; at < FloodTime; at += FloodStep)
        {
            for (int i = Random.Next(8, 13); i > 0; i--)
            {
                attacks++;
                Attack();
            }

            if (!hasBegun && at >= begins)
            {
                hasBegun = true;
                late.Connect(target);
            }

            net.Advance(FloodStep);
            AnswerCookies();
            recorded.AddRange(net.Sent.Skip(seen).Where(sent => sent.From == late).Select(sent => sent.Bytes).Take(20));
            seen = net.Sent.Count;
            took = took == TimeSpan.MaxValue && late.Sessions.Count > 0 ? at - begins : took;
        }

        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Measure(Connected, took == TimeSpan.MaxValue ? null : took);
        Measure("key agreements in a flood of a second and a half", agreements);
        Weigh("bytes allocated for each datagram of a flood", (double)allocated / attacks);

        // A second that has begun, and the one after it; for each address that takes part with cookies its allowance.
        Require(agreements <= 3 * (PerSecondBeforeCookies + (3 * PerSecondPerAddress)), $"{agreements} key agreements for {attacks} datagrams");
        Require(allocated <= attacks * 64L * 1024, $"{allocated:N0} bytes allocated for {attacks} datagrams");
        Require(target.Sessions.Count == 2 && earlier.Sessions.Count == 1 && late.Sessions.Count == 1, $"{target.Sessions.Count} sessions of the target, {earlier.Sessions.Count} and {late.Sessions.Count} of the others");
        Require(target.Endpoint.HalfOpenCount <= settings.HalfOpenMax, $"{target.Endpoint.HalfOpenCount} half-open handshakes");
        Require(late.Failures.Count == 0, "a forged answer ended an attempt");
        foreach ((IPEndPoint address, long bytes) in came)
        {
            long back = net.Sent.Where(sent => sent.From == target && sent.To.Equals(address)).Sum(sent => (long)sent.Bytes.Length);
            Require(back <= AmplificationMax * bytes, $"{back} bytes to {address} for {bytes}");
        }

        Steps += attacks;

        void Attack()
        {
            IPEndPoint from = Random.Next(4) == 0 ? Victim(Random.Next(3)) : new IPEndPoint(new IPAddress(Random.NextInt64(0x01000000, 0xDF000000)), Random.Next(1, 65_536));
            switch (Random.Next(8))
            {
                case 0:
                    Give(target, from, Junk(Random.Next(300)));
                    break;
                case 1:
                    Give(target, from, recorded[Random.Next(recorded.Count)]);
                    break;
                case 2:
                    Give(target, from, Damaged(recorded[Random.Next(recorded.Count)]));
                    break;
                case 3:
                    Give(late, target.Address, Answer(ResponseMessage.Size, DatagramKind.Response));
                    break;
                case 4:
                    Give(late, target.Address, Answer(CookieReplyMessage.Size, DatagramKind.CookieReply));
                    break;
                default:
                    Give(target, from, Initiation());
                    break;
            }
        }

        void Give(TestDevice to, IPEndPoint from, byte[] bytes)
        {
            bool isWellMade = to == target && bytes.Length == InitiationMessage.Size && new HandshakeMacs(target.Identity.PublicKey).IsValid(bytes.AsSpan(0, InitiationMessage.Mac1Offset), bytes.AsSpan(InitiationMessage.Mac1Offset, HandshakeMacs.MacBytes));
            came[from] = came.GetValueOrDefault(from) + (to == target ? bytes.Length : 0);
            HandshakeOutcome outcome = net.Deliver(to, from, [.. bytes]);
            agreements += isWellMade && outcome is not (HandshakeOutcome.Challenged or HandshakeOutcome.Limited) ? 1 : 0;
        }

        // Whoever knows the public key of the target can make the first MAC, and nothing behind it.
        byte[] Initiation()
        {
            byte[] bytes = Junk(InitiationMessage.Size);
            InitiationMessage.WriteHeader(bytes, CipherSuite.ChaCha20Poly1305, new ConnectionId((ulong)Random.NextInt64()));
            new HandshakeMacs(target.Identity.PublicKey).Write(bytes.AsSpan(0, InitiationMessage.Mac1Offset), bytes.AsSpan(InitiationMessage.Mac1Offset, HandshakeMacs.MacBytes));
            return bytes;
        }

        // He sees the initiation, so he knows its connection id and the key of who sends it.
        byte[] Answer(int size, DatagramKind kind)
        {
            byte[] bytes = Junk(size);
            (bytes[0], bytes[1], bytes[2], bytes[3]) = ((byte)kind, InitiationMessage.Version, 0, 0);
            byte[]? asked = net.Sent.LastOrDefault(sent => sent.From == late && Datagrams.KindOf(sent.Bytes) == DatagramKind.Initiation).Bytes;
            asked?.AsSpan(4, ConnectionId.Size).CopyTo(bytes.AsSpan(4));
            if (kind == DatagramKind.Response)
            {
                new HandshakeMacs(late.Identity.PublicKey).Write(bytes.AsSpan(0, ResponseMessage.Mac1Offset), bytes.AsSpan(ResponseMessage.Mac1Offset));
            }

            return bytes;
        }

        // At three addresses he really is: there he takes part with the cookie that he got.
        void AnswerCookies()
        {
            foreach ((TestDevice from, IPEndPoint to, byte[] bytes) in net.Sent.Skip(seen).ToArray())
            {
                if (from != target || !to.Address.ToString().StartsWith("203.0.113.", StringComparison.Ordinal) || Datagrams.KindOf(bytes) != DatagramKind.CookieReply)
                {
                    continue;
                }

                byte[] again = Initiation(), cookie = new byte[CookieReplyMessage.CookieBytes];
                var macs = new HandshakeMacs(target.Identity.PublicKey);
                ReadOnlySpan<byte> mac1 = again.AsSpan(InitiationMessage.Mac1Offset, HandshakeMacs.MacBytes);

                // The cookie was sealed for another message; only who remembers that one can open it, so he asks with one that he keeps.
                Give(target, to, again);
                byte[]? reply = net.Sent.Count > 0 ? LastReplyTo(to) : null;
                if (reply is not null && CookieReplyMessage.TryOpen(reply, macs, CipherSuite.ChaCha20Poly1305, mac1, cookie))
                {
                    HandshakeMacs.Write(cookie, again.AsSpan(0, InitiationMessage.Mac2Offset), again.AsSpan(InitiationMessage.Mac2Offset));
                    Give(target, to, again);
                }
            }
        }

        byte[]? LastReplyTo(IPEndPoint to)
        {
            net.Run();
            return net.Sent.LastOrDefault(sent => sent.From == target && sent.To.Equals(to) && Datagrams.KindOf(sent.Bytes) == DatagramKind.CookieReply).Bytes;
        }
    }
}
