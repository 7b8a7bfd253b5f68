using System.Net;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Packets;

namespace AgentMesh.Protocol.Tests.Handshake;

public class HandshakeTests
{
    private readonly HandshakeNet _net = new();

    public static TheoryData<CipherSuite> Suites => new() { CipherSuite.Aes256Gcm, CipherSuite.ChaCha20Poly1305 };

    [Theory]
    [MemberData(nameof(Suites))]
    public void Two_admitted_devices_share_a_session_after_one_round_trip(CipherSuite suite)
    {
        (TestDevice a, TestDevice b) = _net.Pair(new HandshakeSettings { Suite = suite });
        a.Connect(b);
        _net.Run();

        Assert.Equal(3, _net.Sent.Count);
        Assert.True(a.Session.IsInitiator);
        Assert.False(b.Session.IsInitiator);
        Assert.Equal(b.Identity.PublicKey, a.Session.RemoteKey);
        Assert.Equal(a.Identity.PublicKey, b.Session.RemoteKey);
        Assert.Equal(a.Session.LocalConnectionId, b.Session.RemoteConnectionId);
        Assert.Equal(a.Session.RemoteConnectionId, b.Session.LocalConnectionId);
        Assert.Equal(a.Session.HandshakeHash.ToArray(), b.Session.HandshakeHash.ToArray());
        Assert.Equal(a.Address, b.Session.RemoteAddress);
        Assert.Equal((byte)2, a.Session.RemoteParameters.Span[0]);
        Assert.Equal((byte)1, b.Session.RemoteParameters.Span[0]);

        byte[] packet = HandshakeNet.Packet(b.Session, 0, _net.Now.Monotonic);
        Assert.Equal(OpenStatus.Opened, a.Session.Protector.Open(packet, default, _net.Now.Monotonic, out _));
    }

    [Fact]
    public void First_packet_of_the_initiator_opens_in_the_new_session()
    {
        (TestDevice a, TestDevice b) = _net.Pair();
        a.Connect(b);
        _net.Run();
        byte[] first = _net.Sent[^1].Bytes;
        Assert.Equal(OpenStatus.Opened, b.Session.Protector.Open(first, default, _net.Now.Monotonic, out _));
    }

    [Fact]
    public void Devices_with_different_suites_understand_each_other()
    {
        TestDevice a = _net.Add(1, new HandshakeSettings { Suite = CipherSuite.ChaCha20Poly1305 });
        TestDevice b = _net.Add(2, new HandshakeSettings { Suite = CipherSuite.Aes256Gcm });
        a.Admit(b);
        b.Admit(a);
        a.Connect(b);
        _net.Run();
        b.Connect(a);
        _net.Run();
        Assert.Equal((2, 2), (a.Sessions.Count, b.Sessions.Count));
    }

    [Fact]
    public void Lost_initiation_and_lost_response_are_repeated()
    {
        (TestDevice a, TestDevice b) = _net.Pair();
        int dropped = 0;
        _net.Filter = (_, _, bytes) => Datagrams.KindOf(bytes) == DatagramKind.Packet || dropped++ is 1 or > 3;
        a.Connect(b);
        _net.Advance(TimeSpan.FromSeconds(3));
        Assert.Single(a.Sessions);
        Assert.Single(b.Sessions);
    }

    [Fact]
    public void Waits_grow_and_end_in_a_failure()
    {
        (TestDevice a, TestDevice b) = _net.Pair();
        _net.Filter = (_, _, _) => false;
        a.Connect(b);
        _net.Advance(TimeSpan.FromSeconds(19));
        Assert.InRange(_net.Sent.Count, 7, 14);
        Assert.Empty(a.Failures);
        _net.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal([AttemptFailure.NoAnswer], a.Failures);
        Assert.Null(a.Endpoint.NextWakeUp);
    }

    [Fact]
    public void Wait_is_never_longer_than_its_step_and_seldom_the_same()
    {
        var waits = new HashSet<TimeSpan>();
        for (int i = 1; i <= 20; i++)
        {
            TestDevice a = _net.Add(i);
            a.Endpoint.TryConnect(_net.Add(100).Identity.PublicKey, [new IPEndPoint(IPAddress.Parse("10.9.9.9"), 9)], default, _net.Now);
            TimeSpan wait = a.Endpoint.NextWakeUp!.Value - _net.Now.Monotonic;
            Assert.InRange(wait, TimeSpan.FromMilliseconds(199), TimeSpan.FromMilliseconds(300));
            waits.Add(wait);
        }

        Assert.True(waits.Count > 10);
    }

    [Fact]
    public void Initiation_that_was_not_answered_for_long_is_made_anew()
    {
        (TestDevice a, TestDevice b) = _net.Pair();
        _net.Filter = (_, _, _) => false;
        a.Connect(b);
        _net.Advance(TimeSpan.FromSeconds(12));
        Assert.InRange(_net.Sent.Select(s => Convert.ToHexString(s.Bytes)).Distinct().Count(), 2, 3);
        _net.Filter = (_, _, _) => true;
        _net.Advance(TimeSpan.FromSeconds(5));
        Assert.Single(b.Sessions);
    }

    [Fact]
    public void First_address_that_answers_wins()
    {
        (TestDevice a, TestDevice b) = _net.Pair();
        var nobody = new IPEndPoint(IPAddress.Parse("10.9.9.9"), 9);
        a.Endpoint.TryConnect(b.Identity.PublicKey, [nobody, b.Address], default, _net.Now);
        _net.Advance(TimeSpan.FromSeconds(40));
        Assert.Equal(b.Address, a.Session.RemoteAddress);
        Assert.Empty(a.Failures);
        Assert.True(_net.Sent.Count(s => s.To.Equals(nobody)) == 1, "the attempt at the other address has ended");
    }

    [Fact]
    public void Address_learnt_later_is_tried_too()
    {
        (TestDevice a, TestDevice b) = _net.Pair();
        a.Endpoint.TryConnect(b.Identity.PublicKey, [new IPEndPoint(IPAddress.Parse("10.9.9.9"), 9)], default, _net.Now);
        _net.Advance(TimeSpan.FromSeconds(1));
        a.Connect(b);
        _net.Run();
        Assert.Single(a.Sessions);
    }

    [Fact]
    public void Cancelled_attempt_ends_without_a_word()
    {
        (TestDevice a, TestDevice b) = _net.Pair();
        a.Connect(b);
        a.Endpoint.Cancel(b.Identity.PublicKey);
        _net.Advance(TimeSpan.FromSeconds(30));
        Assert.Empty(a.Sessions);
        Assert.Empty(a.Failures);
        Assert.Empty(b.Sessions);
    }

    [Fact]
    public void Attempts_are_bounded()
    {
        TestDevice a = _net.Add(1, new HandshakeSettings { AttemptsMax = 1 });
        TestDevice b = _net.Add(2), c = _net.Add(3);
        a.Connect(b);
        Assert.False(a.Endpoint.TryConnect(c.Identity.PublicKey, [c.Address], default, _net.Now));
    }

    [Fact]
    public void Restarted_device_replaces_its_session()
    {
        (TestDevice a, TestDevice b) = _net.Pair();
        a.Connect(b);
        _net.Run();
        TestDevice restarted = _net.Add(1, identity: a.Identity);
        restarted.Admit(b);
        _net.Advance(TimeSpan.FromSeconds(1));
        restarted.Connect(b);
        _net.Run();
        Assert.Equal(2, b.Sessions.Count);
        Assert.Single(restarted.Sessions);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Of_two_devices_that_open_at_once_both_keep_the_same_session(bool slow)
    {
        (TestDevice a, TestDevice b) = _net.Pair();
        if (slow)
        {
            // Nothing arrives for longer than the preferred side waits; then both sides' attempts cross.
            _net.Filter = (_, _, _) => false;
        }

        a.Connect(b);
        b.Connect(a);
        _net.Advance(TimeSpan.FromSeconds(slow ? 3 : 0));
        _net.Filter = (_, _, _) => true;
        _net.Advance(TimeSpan.FromSeconds(10));

        Assert.NotEmpty(a.Sessions);
        Assert.NotEmpty(b.Sessions);
        EstablishedSession keptByA = Kept(a), keptByB = Kept(b);
        Assert.Equal(keptByA.HandshakeHash.ToArray(), keptByB.HandshakeHash.ToArray());
        Assert.Empty(a.Failures);
        Assert.Empty(b.Failures);
    }

    [Fact]
    public void Preferred_side_answers_when_its_own_attempt_leads_nowhere()
    {
        (TestDevice a, TestDevice b) = _net.Pair();
        (TestDevice preferred, TestDevice other) = SimultaneousOpen.Prefers(a.Identity.PublicKey, b.Identity.PublicKey) ? (a, b) : (b, a);
        _net.Filter = (from, _, bytes) => from == other || Datagrams.KindOf(bytes) != DatagramKind.Initiation;
        preferred.Connect(other);
        other.Connect(preferred);
        _net.Advance(TimeSpan.FromSeconds(3));
        Assert.Contains(HandshakeOutcome.Yielded, preferred.Outcomes);
        Assert.Single(other.Sessions);
        Assert.Single(preferred.Sessions);
    }

    [Fact]
    public void Preferred_side_that_has_a_session_forgets_what_it_answered()
    {
        (TestDevice preferred, TestDevice other) = BothAnswered();
        _net.Filter = (from, _, bytes) => from == other || Datagrams.KindOf(bytes) != DatagramKind.Response;
        _net.Advance(TimeSpan.FromSeconds(3)); // the other side's response arrives, the preferred side's does not
        Assert.True(preferred.Session.IsInitiator);
        Assert.Equal(0, preferred.Endpoint.HalfOpenCount);
    }

    [Fact]
    public void Session_that_was_confirmed_ends_the_own_attempt()
    {
        (TestDevice preferred, TestDevice other) = BothAnswered();
        _net.Filter = (from, _, bytes) => from == preferred || Datagrams.KindOf(bytes) != DatagramKind.Response;
        _net.Advance(TimeSpan.FromSeconds(3)); // the preferred side's response arrives, the other side's does not
        Assert.False(preferred.Session.IsInitiator);
        Assert.Null(preferred.Endpoint.NextWakeUp);
        _net.Advance(TimeSpan.FromSeconds(30));
        Assert.Empty(preferred.Failures);
    }

    /// <summary>Both open at once and initiations arrive on both sides until the preferred one has answered; responses are lost.</summary>
    private (TestDevice Preferred, TestDevice Other) BothAnswered()
    {
        (TestDevice a, TestDevice b) = _net.Pair();
        (TestDevice preferred, TestDevice other) = SimultaneousOpen.Prefers(a.Identity.PublicKey, b.Identity.PublicKey) ? (a, b) : (b, a);
        _net.Filter = (_, _, bytes) => Datagrams.KindOf(bytes) == DatagramKind.Initiation;
        preferred.Connect(other);
        other.Connect(preferred);
        _net.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal((1, 1), (preferred.Endpoint.HalfOpenCount, other.Endpoint.HalfOpenCount));
        return (preferred, other);
    }

    private static EstablishedSession Kept(TestDevice device)
    {
        EstablishedSession kept = device.Sessions[0];
        foreach (EstablishedSession candidate in device.Sessions.Skip(1))
        {
            kept = SimultaneousOpen.KeepsExisting(device.Identity.PublicKey, kept, candidate) ? kept : candidate;
        }

        return kept;
    }
}
