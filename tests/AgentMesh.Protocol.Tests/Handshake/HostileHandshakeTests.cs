using System.Net;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Noise;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Handshake;

public class HostileHandshakeTests
{
    private static readonly IPEndPoint Elsewhere = new(IPAddress.Parse("203.0.113.5"), 5);

    private readonly HandshakeNet _net = new();

    [Fact]
    public void Stranger_gets_no_answer()
    {
        TestDevice a = _net.Add(1), b = _net.Add(2);
        a.Connect(b);
        _net.Advance(TimeSpan.FromSeconds(30));

        Assert.DoesNotContain(_net.Sent, s => s.From == b);
        Assert.Contains(HandshakeOutcome.Stranger, b.Outcomes);
        Assert.Equal([AttemptFailure.NoAnswer], a.Failures);
        Assert.Equal(0, b.Endpoint.HalfOpenCount);
    }

    [Fact]
    public void Device_that_claims_the_key_of_another_is_refused()
    {
        (TestDevice a, TestDevice b) = _net.Pair();
        DeviceIdentity mallory = DeviceIdentity.Create(new SeededEntropy(66));
        Assert.Equal(HandshakeOutcome.Stranger, _net.Deliver(b, Elsewhere, Forge(mallory, mallory.PublicKey, b)));
        Assert.Equal(HandshakeOutcome.Refused, _net.Deliver(b, Elsewhere, Forge(mallory, a.Identity.PublicKey, b)));
        Assert.Equal(HandshakeOutcome.Refused, _net.Deliver(b, Elsewhere, Forge(b.Identity, b.Identity.PublicKey, b)));
        Assert.Equal(HandshakeOutcome.Answered, _net.Deliver(b, Elsewhere, Forge(a.Identity, a.Identity.PublicKey, b)));
    }

    [Fact]
    public void Forged_response_does_not_end_the_attempt()
    {
        (TestDevice a, TestDevice b) = _net.Pair();
        _net.Filter = (from, target, bytes) =>
        {
            if (from == b && Datagrams.KindOf(bytes) == DatagramKind.Response)
            {
                byte[] forged = [.. bytes];
                forged[50] ^= 1;
                new HandshakeMacs(a.Identity.PublicKey).Write(forged.AsSpan(0, ResponseMessage.Mac1Offset), forged.AsSpan(ResponseMessage.Mac1Offset));
                Assert.Equal(HandshakeOutcome.Refused, _net.Deliver(target, b.Address, forged));
            }

            return true;
        };
        a.Connect(b);
        _net.Run();
        Assert.Single(a.Sessions);
        Assert.Single(b.Sessions);
    }

    [Fact]
    public void First_packet_that_comes_too_late_opens_nothing()
    {
        (TestDevice a, TestDevice b) = _net.Pair();
        _net.Filter = (_, _, bytes) => Datagrams.KindOf(bytes) != DatagramKind.Packet;
        a.Connect(b);
        _net.Run();
        MeshInstant late = new(_net.Now.Monotonic + TimeSpan.FromSeconds(10), _net.Now.Wall);
        Assert.False(b.Endpoint.TryConfirm(_net.Sent[^1].Bytes, a.Address, late));
        Assert.True(b.Endpoint.TryConfirm(_net.Sent[^1].Bytes, a.Address, _net.Now));
    }

    [Fact]
    public void Cookie_is_good_for_two_rotations_of_its_secret()
    {
        var jar = new CookieJar(new SeededEntropy(1));
        byte[] cookie = new byte[CookieReplyMessage.CookieBytes], initiation = new byte[InitiationMessage.Size];
        TimeSpan now = TimeSpan.FromSeconds(50);
        jar.Write(Elsewhere, now, cookie);
        HandshakeMacs.Write(cookie, initiation.AsSpan(0, InitiationMessage.Mac2Offset), initiation.AsSpan(InitiationMessage.Mac2Offset));
        Assert.True(jar.HasValidCookie(initiation, Elsewhere, now));
        Assert.True(jar.HasValidCookie(initiation, Elsewhere, now + TimeSpan.FromSeconds(121)));
        Assert.False(jar.HasValidCookie(initiation, Elsewhere, now + TimeSpan.FromSeconds(242)));
    }

    [Fact]
    public void Replayed_initiation_is_not_answered_whenever_and_wherever_it_comes_from()
    {
        (TestDevice a, TestDevice b) = _net.Pair();
        a.Connect(b);
        _net.Run();
        byte[] initiation = _net.Sent[0].Bytes;
        Assert.Equal(HandshakeOutcome.Replayed, _net.Deliver(b, a.Address, initiation));
        Assert.Equal(HandshakeOutcome.Replayed, _net.Deliver(b, Elsewhere, initiation));
        _net.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(HandshakeOutcome.Replayed, _net.Deliver(b, a.Address, initiation));
        Assert.Single(b.Sessions);
        Assert.Equal(1, _net.Sent.Count(s => s.From == b));
    }

    [Fact]
    public void Answer_is_repeated_to_the_same_address_only_and_not_for_ever()
    {
        (TestDevice a, TestDevice b) = _net.Pair();
        _net.Filter = (from, _, _) => from != b;
        a.Connect(b);
        _net.Run();
        byte[] initiation = _net.Sent[0].Bytes;
        Assert.Equal(HandshakeOutcome.Replayed, _net.Deliver(b, Elsewhere, initiation));
        for (int i = 0; i < 8; i++)
        {
            Assert.Equal(HandshakeOutcome.Answered, _net.Deliver(b, a.Address, initiation));
        }

        Assert.Equal(HandshakeOutcome.Replayed, _net.Deliver(b, a.Address, initiation));
    }

    [Fact]
    public void Nothing_sent_to_an_unproven_address_is_longer_than_what_came_from_it()
    {
        (TestDevice a, TestDevice b) = _net.Pair(new HandshakeSettings { InitiationsPerSecondBeforeCookies = 1 });
        _net.Filter = (from, _, _) => from != b;
        a.Connect(b);
        _net.Advance(TimeSpan.FromSeconds(15));
        int received = _net.Sent.Where(s => s.From == a).Sum(s => s.Bytes.Length);
        int answered = _net.Sent.Where(s => s.From == b).Sum(s => s.Bytes.Length);
        Assert.True(answered > 0 && answered < received, $"{answered} of {received}");
    }

    [Fact]
    public void Damaged_messages_are_dropped_and_the_handshake_goes_on()
    {
        (TestDevice a, TestDevice b) = _net.Pair();
        _net.Filter = (_, target, bytes) =>
        {
            if (Datagrams.KindOf(bytes) != DatagramKind.Packet)
            {
                Damage(target, bytes);
            }

            return true;
        };
        a.Connect(b);
        _net.Run();
        Assert.Single(a.Sessions);
        Assert.Single(b.Sessions);
        Assert.Equal(3, _net.Sent.Count);
    }

    [Fact]
    public void Damaged_first_packet_does_not_open_a_session()
    {
        (TestDevice a, TestDevice b) = _net.Pair();
        byte[]? first = null;
        _net.Filter = (_, _, bytes) =>
        {
            first = Datagrams.KindOf(bytes) == DatagramKind.Packet ? bytes : first;
            return first is null;
        };
        a.Connect(b);
        _net.Run();
        for (int bit = 0; bit < first!.Length * 8; bit++)
        {
            byte[] bad = [.. first];
            bad[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(b.Endpoint.TryConfirm(bad, a.Address, _net.Now));
        }

        for (int length = 0; length < first.Length; length++)
        {
            Assert.False(b.Endpoint.TryConfirm(first.AsSpan(0, length), a.Address, _net.Now));
        }

        Assert.True(b.Endpoint.TryConfirm(first, a.Address, _net.Now));
        Assert.False(b.Endpoint.TryConfirm(first, a.Address, _net.Now));
    }

    [Fact]
    public void Random_bytes_cause_nothing()
    {
        (TestDevice a, TestDevice b) = _net.Pair();
        _net.Filter = (_, _, _) => false;
        a.Connect(b);
        _net.Run();
        int before = _net.Sent.Count;
        var random = new Random(5);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = new byte[random.Next(4) switch { 0 => 236, 1 => 125, 2 => 60, _ => random.Next(300) }];
            random.NextBytes(bytes);
            if (bytes.Length > 3)
            {
                bytes[0] = (byte)(0x80 + random.Next(5));
                (bytes[1], bytes[2], bytes[3]) = (1, (byte)random.Next(4), 0);
            }

            HandshakeOutcome outcome = a.Endpoint.HandleDatagram(bytes, Elsewhere, _net.Now);
            Assert.True(outcome is HandshakeOutcome.Malformed or HandshakeOutcome.Refused);
            Assert.False(a.Endpoint.TryConfirm(bytes, Elsewhere, _net.Now));
        }

        _net.Run();
        Assert.Equal(before, _net.Sent.Count);
    }

    [Fact]
    public void Under_load_an_address_must_prove_itself_and_then_gets_in()
    {
        (TestDevice a, TestDevice b) = _net.Pair(new HandshakeSettings { InitiationsPerSecondBeforeCookies = 5 });
        TestDevice stranger = _net.Add(3, new HandshakeSettings { RetransmitInitial = TimeSpan.FromSeconds(10), RenewAfter = TimeSpan.FromMinutes(1) });
        for (int i = 0; i < 20; i++)
        {
            stranger.Connect(b);
            stranger.Endpoint.Cancel(b.Identity.PublicKey);
        }

        _net.Run();
        Assert.Equal(15, b.Outcomes.Count(o => o == HandshakeOutcome.Challenged));
        a.Connect(b);
        _net.Run();
        Assert.Single(a.Sessions);
        Assert.Single(b.Sessions);
        Assert.Equal(2, _net.Sent.Count(s => s.From == a && Datagrams.KindOf(s.Bytes) == DatagramKind.Initiation));
    }

    [Fact]
    public void Cookie_of_one_address_is_no_good_at_another()
    {
        (TestDevice a, TestDevice b) = _net.Pair(new HandshakeSettings { InitiationsPerSecondBeforeCookies = 0 });
        a.Connect(b);
        _net.Run();
        Assert.Single(b.Sessions);
        byte[] withCookie = _net.Sent.Last(s => s.From == a && Datagrams.KindOf(s.Bytes) == DatagramKind.Initiation).Bytes;
        Assert.Equal(HandshakeOutcome.Challenged, _net.Deliver(b, Elsewhere, withCookie));
    }

    [Fact]
    public void Proven_address_has_an_allowance_under_load()
    {
        (TestDevice a, TestDevice b) = _net.Pair(new HandshakeSettings { InitiationsPerSecondBeforeCookies = 0, InitiationsPerSecondPerAddress = 3 });
        for (int i = 0; i < 5; i++)
        {
            a.Connect(b);
            _net.Run();
        }

        Assert.Equal(3, b.Sessions.Count);
        Assert.Contains(HandshakeOutcome.Limited, b.Outcomes);
        _net.Advance(TimeSpan.FromSeconds(6));
        Assert.True(b.Sessions.Count > 3, "the allowance comes back with the next second");
    }

    [Fact]
    public void Load_ends_after_a_quiet_second()
    {
        var gate = new InitiationGate(new HandshakeSettings { InitiationsPerSecondBeforeCookies = 2 });
        TimeSpan now = TimeSpan.FromSeconds(100);
        Assert.False(gate.CountAndCheckLoad(now));
        Assert.False(gate.CountAndCheckLoad(now));
        Assert.True(gate.CountAndCheckLoad(now));
        Assert.True(gate.CountAndCheckLoad(now + TimeSpan.FromSeconds(1.1)));
        Assert.False(gate.CountAndCheckLoad(now + TimeSpan.FromSeconds(2.2)));
    }

    [Fact]
    public void Half_open_handshakes_are_bounded_and_expire()
    {
        var settings = new HandshakeSettings { HalfOpenPerDeviceMax = 4, HalfOpenMax = 6 };
        TestDevice b = _net.Add(2, settings);
        _net.Filter = (from, _, _) => from != b;
        foreach (TestDevice device in new[] { _net.Add(1), _net.Add(3) })
        {
            b.Admit(device);
            for (int i = 0; i < 10; i++)
            {
                device.Connect(b);
                device.Endpoint.Cancel(b.Identity.PublicKey);
            }
        }

        _net.Run();
        Assert.Equal(6, b.Endpoint.HalfOpenCount);
        _net.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(0, b.Endpoint.HalfOpenCount);
        Assert.Null(b.Endpoint.NextWakeUp);
    }

    [Fact]
    public void Stamps_out_of_order_count_once_each()
    {
        var window = new StampWindow();
        Assert.True(window.TryUse(100));
        Assert.True(window.TryUse(90));
        Assert.False(window.TryUse(100));
        Assert.False(window.TryUse(90));
        for (ulong i = 0; i < StampWindow.Size; i++)
        {
            Assert.True(window.TryUse(200 + i));
        }

        Assert.False(window.TryUse(95));
        Assert.False(window.TryUse(100));
    }

    /// <summary>An initiation by <paramref name="real"/> that says it is from <paramref name="claimed"/>.</summary>
    private byte[] Forge(DeviceIdentity real, DevicePublicKey claimed, TestDevice target)
    {
        byte[] message = new byte[InitiationMessage.Size], payload = new byte[InitiationPayload.Size], ephemeral = new byte[32];
        new SeededEntropy(67).Fill(ephemeral);
        InitiationMessage.WriteHeader(message, CipherSuite.Aes256Gcm, new ConnectionId(5));
        using var noise = new HandshakeState(
            NoisePattern.IKpsk2, CipherSuite.Aes256Gcm, true, InitiationMessage.Prologue(message), ephemeral, real.AgreementPrivate, real.AgreementPublic, target.Identity.AgreementPublic);
        new InitiationPayload(claimed, 1, 2, default, new byte[HandshakeEndpoint.ParametersBytes]).Write(payload);
        Assert.True(noise.TryWrite(payload, message.AsSpan(InitiationMessage.HeaderBytes), out _));
        new HandshakeMacs(target.Identity.PublicKey).Write(message.AsSpan(0, InitiationMessage.Mac1Offset), message.AsSpan(InitiationMessage.Mac1Offset));
        return message;
    }

    /// <summary>Every bit flipped, every length but the right one.</summary>
    private void Damage(TestDevice target, byte[] bytes)
    {
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            if (bytes.Length == 236 && bit / 8 >= 220)
            {
                break; // mac2 means nothing without load
            }

            byte[] bad = [.. bytes];
            bad[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.True(_net.Deliver(target, Elsewhere, bad) is HandshakeOutcome.Malformed or HandshakeOutcome.Refused, $"bit {bit} of {bytes.Length} bytes");
        }

        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Equal(HandshakeOutcome.Malformed, target.Endpoint.HandleDatagram(bytes.AsSpan(0, length), Elsewhere, _net.Now));
        }

        Assert.Equal(HandshakeOutcome.Malformed, _net.Deliver(target, Elsewhere, [.. bytes, 0]));
    }
}
