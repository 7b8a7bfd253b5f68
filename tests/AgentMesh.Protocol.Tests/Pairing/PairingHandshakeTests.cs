using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Pairing;
using AgentMesh.Protocol.Tests.Crypto;
using AgentMesh.Protocol.Tests.Handshake;

namespace AgentMesh.Protocol.Tests.Pairing;

public class PairingHandshakeTests
{
    private readonly HandshakeNet _net = new();
    private readonly InvitationBook _book = new();
    private readonly TestDevice _inviter;
    private readonly TestDevice _joiner;

    public PairingHandshakeTests()
    {
        _inviter = _net.Add(1, book: _book);
        _joiner = _net.Add(2);
    }

    [Fact]
    public void Holder_of_a_link_gets_in_and_both_sides_show_the_same_digits()
    {
        InvitationSecret secret = Invite();
        _joiner.Connect(_inviter, secret);
        _net.Run();
        Assert.Equal(secret.Id, _inviter.Session.Invitation);
        Assert.Equal(secret.Id, _joiner.Session.Invitation);
        Assert.Equal(_joiner.Identity.PublicKey, _inviter.Session.RemoteKey);
        Assert.Equal(_joiner.Session.ComputeCheckDigits(), _inviter.Session.ComputeCheckDigits());
        Assert.Matches("^[0-9]{6}$", _joiner.Session.ComputeCheckDigits().ToString());
        Assert.Equal(_joiner.Identity.PublicKey, _book.Records.Single().UsedBy);
        Assert.Equal(OpenStatus.Opened, _inviter.Session.Protector.Open(_net.Sent[^1].Bytes, default, _net.Now.Monotonic, out _));
    }

    [Fact]
    public void A_device_that_still_calls_in_vain_gets_in_with_a_link()
    {
        // It was forgotten by the other side, and does not know.
        _joiner.Connect(_inviter);
        _net.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(_joiner.Sessions);

        InvitationSecret secret = Invite();
        _joiner.Connect(_inviter, secret);
        _net.Run();

        Assert.Equal(secret.Id, _joiner.Session.Invitation);
        Assert.Equal(secret.Id, _inviter.Session.Invitation);
    }

    [Fact]
    public void Used_invitation_is_refused_with_the_reason()
    {
        InvitationSecret secret = Invite();
        _joiner.Connect(_inviter, secret);
        _net.Run();
        TestDevice second = _net.Add(3);
        second.Connect(_inviter, secret);
        _net.Run();
        Assert.Equal([AttemptFailure.InvitationUsed], second.Failures);
        Assert.Empty(second.Sessions);
        Assert.Single(_inviter.Sessions);
    }

    [Fact]
    public void Expired_invitation_is_refused_with_the_reason()
    {
        InvitationSecret secret = Invite();
        _net.Advance(Invitation.DefaultLifetime);
        _joiner.Connect(_inviter, secret);
        _net.Run();
        Assert.Equal([AttemptFailure.InvitationExpired], _joiner.Failures);
        Assert.Empty(_inviter.Sessions);
    }

    [Fact]
    public void Wrong_secret_gets_no_answer()
    {
        Invite();
        _joiner.Connect(_inviter, InvitationSecret.Next(new SeededEntropy(99)));
        _net.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal([AttemptFailure.NoAnswer], _joiner.Failures);
        Assert.DoesNotContain(_net.Sent, s => s.From == _inviter);
    }

    [Fact]
    public void Of_two_devices_with_one_link_the_one_that_proves_it_first_gets_in()
    {
        InvitationSecret secret = Invite();
        TestDevice second = _net.Add(3);
        List<byte[]> firstPackets = [];
        _net.Filter = (_, _, bytes) =>
        {
            if (Datagrams.KindOf(bytes) == DatagramKind.Packet)
            {
                firstPackets.Add(bytes);
                return false;
            }

            return true;
        };
        _joiner.Connect(_inviter, secret);
        second.Connect(_inviter, secret);
        _net.Run();
        Assert.Equal(2, firstPackets.Count);
        Assert.Equal(2, _inviter.Endpoint.HalfOpenCount);
        Assert.True(_inviter.Endpoint.TryConfirm(firstPackets[1], second.Address, _net.Now));
        Assert.False(_inviter.Endpoint.TryConfirm(firstPackets[0], _joiner.Address, _net.Now));
        Assert.Equal(0, _inviter.Endpoint.HalfOpenCount);
    }

    [Fact]
    public void Unfinished_handshake_does_not_use_the_invitation_up()
    {
        InvitationSecret secret = Invite();
        _net.Filter = (from, _, _) => from != _inviter;
        _joiner.Connect(_inviter, secret);
        _net.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(InvitationStatus.Open, _book.Find(secret.Id, _net.Now.Wall).Status);
        _net.Filter = (_, _, _) => true;
        _joiner.Connect(_inviter, secret);
        _net.Run();
        Assert.Single(_inviter.Sessions);
    }

    [Fact]
    public void Replayed_pairing_is_not_answered()
    {
        InvitationSecret secret = Invite();
        _net.Filter = (from, _, _) => from != _inviter;
        _joiner.Connect(_inviter, secret);
        _net.Run();
        byte[] initiation = _net.Sent[0].Bytes;
        _net.Advance(TimeSpan.FromSeconds(15));
        Assert.Equal(HandshakeOutcome.Replayed, _net.Deliver(_inviter, _joiner.Address, initiation));
    }

    [Theory]
    [InlineData(AttemptFailure.NoAnswer, ProtocolErrors.NoAnswer)]
    [InlineData(AttemptFailure.InvitationUsed, ProtocolErrors.InvitationUsed)]
    [InlineData(AttemptFailure.InvitationExpired, ProtocolErrors.InvitationExpired)]
    [InlineData(AttemptFailure.BadKey, ProtocolErrors.UnusableKey)]
    public void Every_failure_has_its_code(AttemptFailure reason, string code) =>
        Assert.Equal(code, new AttemptFailed(_inviter.Identity.PublicKey, reason).ToException("gpu-box").Code);

    [Fact]
    public void Key_that_is_no_point_fails_at_once()
    {
        var key = new Protocol.Identity.DevicePublicKey(new byte[32]);
        Assert.True(_joiner.Endpoint.TryConnect(key, [_inviter.Address], default, _net.Now));
        _net.Run();
        Assert.Equal([AttemptFailure.BadKey], _joiner.Failures);
    }

    private InvitationSecret Invite() => _book.Create(_net.Now.Wall, Invitation.DefaultLifetime, new SeededEntropy(50));
}
