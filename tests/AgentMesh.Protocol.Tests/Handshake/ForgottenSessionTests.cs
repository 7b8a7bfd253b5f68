using System.Net;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Handshake;

/// <summary>A device that was started again tells who still sends to it that it has forgotten the session, and tells nobody else.</summary>
public class ForgottenSessionTests
{
    private static readonly IPEndPoint Elsewhere = IPEndPoint.Parse("203.0.113.7:99");

    private readonly HandshakeNet _net = new();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_other_side_of_a_forgotten_session_is_told_so(bool isInitiatorRestarted)
    {
        (TestDevice a, TestDevice b) = Connected();
        (TestDevice gone, TestDevice left) = isInitiatorRestarted ? (a, b) : (b, a);
        using var connection = new Connection(left.Session, new ConnectionSettings(), new MtuSettings(), _net.Now.Monotonic);
        TestDevice back = Restart(gone);
        byte[] packet = HandshakeNet.Packet(left.Session, 9, _net.Now.Monotonic);
        byte[] reset = Assert.Single(AnswersTo(back, left.Address, packet));
        Assert.True(reset.Length < PacketLayout.MinPacketBytes);
        Assert.True(ResetMessage.TryRead(reset, out ConnectionId id, out ReadOnlySpan<byte> token));
        Assert.Equal(left.Session.RemoteConnectionId, id);
        connection.HandleReset(token);
        Assert.False(connection.IsOpen);
        Assert.Equal((true, CloseCodes.Forgotten), (connection.End.ByRemote, connection.End.Code));
    }

    [Fact]
    public void Who_does_not_know_the_secret_ends_nothing()
    {
        (TestDevice a, TestDevice b) = Connected();
        using var connection = new Connection(a.Session, new ConnectionSettings(), new MtuSettings(), _net.Now.Monotonic);
        byte[] token = new byte[OwnConnectionIds.ResetTokenBytes];
        connection.HandleReset(token);
        new OwnConnectionIds(a.Identity, new SeededEntropy(1)).WriteResetToken(a.Session.RemoteConnectionId, token);
        connection.HandleReset(token);
        new OwnConnectionIds(b.Identity, new SeededEntropy(1)).WriteResetToken(new ConnectionId(a.Session.RemoteConnectionId.Value + 1), token);
        connection.HandleReset(token);
        Assert.True(connection.IsOpen);
        Assert.Equal(3, connection.Dropped);
        new OwnConnectionIds(b.Identity, new SeededEntropy(1)).WriteResetToken(a.Session.RemoteConnectionId, token);
        connection.HandleReset(token);
        Assert.False(connection.IsOpen);
    }

    [Fact]
    public void Where_the_other_side_told_no_secret_zeros_end_nothing()
    {
        (TestDevice a, TestDevice b) = _net.Pair(new HandshakeSettings { AnswersForgotten = false });
        a.Connect(b);
        _net.Run();
        using var connection = new Connection(a.Session, new ConnectionSettings(), new MtuSettings(), _net.Now.Monotonic);
        connection.HandleReset(new byte[OwnConnectionIds.ResetTokenBytes]);
        Assert.True(connection.IsOpen);
        Assert.Empty(AnswersTo(Restart(b, new HandshakeSettings { AnswersForgotten = false }), a.Address, HandshakeNet.Packet(a.Session, 9, _net.Now.Monotonic)));
    }

    [Fact]
    public void Strangers_hear_nothing()
    {
        (_, TestDevice b) = Connected();
        var random = new Random(1);
        for (int i = 0; i < 2_000; i++)
        {
            byte[] junk = new byte[PacketLayout.MinPacketBytes + random.Next(100)];
            random.NextBytes(junk);
            junk[0] = (byte)DatagramKind.Packet;
            Assert.Empty(AnswersTo(b, Elsewhere, junk));
        }
    }

    [Fact]
    public void Nobody_gets_the_secret_of_a_session_that_begins_or_has_just_begun()
    {
        (TestDevice a, TestDevice b) = _net.Pair();
        byte[]? first = null;
        _net.Filter = (_, _, bytes) =>
        {
            first = Datagrams.KindOf(bytes) == DatagramKind.Packet ? bytes : first;
            return Datagrams.KindOf(bytes) == DatagramKind.Initiation;
        };
        a.Connect(b);
        _net.Run();
        byte[] initiation = _net.Sent.First(sent => Datagrams.KindOf(sent.Bytes) == DatagramKind.Initiation).Bytes;
        Assert.Empty(AnswersTo(a, Elsewhere, JunkTo(ConnectionId.Read(initiation.AsSpan(4)))));

        _net.Filter = (_, _, bytes) =>
        {
            first = Datagrams.KindOf(bytes) == DatagramKind.Packet ? bytes : first;
            return Datagrams.KindOf(bytes) != DatagramKind.Packet;
        };
        _net.Advance(TimeSpan.FromSeconds(1));
        ConnectionId half = ConnectionId.Read(first.AsSpan(1));
        Assert.Empty(AnswersTo(b, Elsewhere, JunkTo(half)));

        _net.Deliver(b, a.Address, first!);
        _net.Run();
        Assert.Single(b.Sessions);
        Assert.Empty(AnswersTo(b, Elsewhere, JunkTo(half)));
        Assert.Empty(AnswersTo(a, Elsewhere, JunkTo(a.Session.LocalConnectionId)));
    }

    [Fact]
    public void Many_packets_of_one_session_get_few_answers()
    {
        (TestDevice a, TestDevice b) = Connected();
        TestDevice back = Restart(b);
        int answers = 0;
        for (int i = 0; i < 500; i++)
        {
            answers += AnswersTo(back, a.Address, JunkTo(a.Session.RemoteConnectionId)).Count;
            _net.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.InRange(answers, 1, 6);
        Assert.Equal(answers, back.Endpoint.Resets);
    }

    [Fact]
    public void A_device_knows_its_own_ids_after_a_restart_and_no_others()
    {
        (TestDevice a, TestDevice b) = _net.Pair();
        var before = new OwnConnectionIds(a.Identity, new SeededEntropy(1));
        var after = new OwnConnectionIds(a.Identity, new SeededEntropy(2));
        var other = new OwnConnectionIds(b.Identity, new SeededEntropy(1));
        for (int i = 0; i < 1_000; i++)
        {
            ConnectionId id = before.Next();
            Assert.True(after.IsOwn(id));
            Assert.False(other.IsOwn(id));
        }
    }

    [Fact]
    public void Bytes_that_are_no_reset_are_none()
    {
        byte[] reset = ResetMessage.Write(new ConnectionId(0x0102030405060708), new OwnConnectionIds(_net.Pair().A.Identity, new SeededEntropy(1)));
        Assert.Equal(25, reset.Length);
        Assert.Equal("890102030405060708", Convert.ToHexStringLower(reset.AsSpan(0, 9)));
        for (int length = 0; length < reset.Length; length++)
        {
            Assert.False(ResetMessage.TryRead(reset.AsSpan(0, length), out _, out _));
        }

        Assert.False(ResetMessage.TryRead([.. reset, 0], out _, out _));
        reset[0] ^= 1;
        Assert.False(ResetMessage.TryRead(reset, out _, out _));
    }

    private static byte[] JunkTo(ConnectionId id)
    {
        byte[] bytes = new byte[PacketLayout.MinPacketBytes + 10];
        new Random(1).NextBytes(bytes);
        bytes[0] = (byte)DatagramKind.Packet;
        id.Write(bytes.AsSpan(1));
        return bytes;
    }

    private (TestDevice A, TestDevice B) Connected()
    {
        (TestDevice a, TestDevice b) = _net.Pair();
        a.Connect(b);
        _net.Run();
        Assert.Single(b.Sessions);
        return (a, b);
    }

    private TestDevice Restart(TestDevice device, HandshakeSettings? settings = null) => _net.Add(device.Address.Port - 4000, settings, identity: device.Identity);

    private List<byte[]> AnswersTo(TestDevice device, IPEndPoint from, byte[] packet)
    {
        int sent = _net.Sent.Count;
        Func<TestDevice, TestDevice, byte[], bool> filter = _net.Filter;
        _net.Filter = (_, _, _) => false;
        _net.Deliver(device, from, packet);
        _net.Run();
        _net.Filter = filter;
        return [.. _net.Sent.Skip(sent).Where(each => each.From == device && each.To.Equals(from)).Select(each => each.Bytes)];
    }
}
