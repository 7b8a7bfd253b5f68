using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Packets;

namespace AgentMesh.Protocol.Tests.Handshake;

public class HandshakeTests
{
    private readonly HandshakeNet _net = new();

    [Theory]
    [InlineData(CipherSuite.Aes256Gcm)]
    [InlineData(CipherSuite.ChaCha20Poly1305)]
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
}
