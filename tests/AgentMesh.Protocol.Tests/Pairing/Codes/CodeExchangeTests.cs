using System.Buffers.Binary;
using System.Net;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Pairing;
using AgentMesh.Protocol.Pairing.Codes;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Pairing.Codes;

public sealed class CodeExchangeTests
{
    private readonly CodeWorld _world = new();

    [Fact]
    public void The_right_code_gives_both_sides_an_invitation_that_only_the_joiner_can_use()
    {
        PairingCode code = _world.Invite(out InvitationId link);

        CodeResult result = _world.Join(code);

        InvitationSecret secret = result.Invitation!.Secret;
        Assert.Equal("box at 192.0.2.1:14590", result.Invitation.InviterName);
        Assert.Equal(InvitationStatus.Open, _world.Book.Find(secret.Id, _world.Now.Wall).Status);
        Assert.False(_world.Book.TryTake(secret.Id, result.Invitation.Key, _world.Now.Wall));
        Assert.True(_world.Book.TryTake(secret.Id, CodeWorld.Joining.PublicKey, _world.Now.Wall));
        Assert.Equal(InvitationStatus.Used, _world.Book.Find(link, _world.Now.Wall).Status);
        Assert.Equal(link, _world.Book.RootOf(secret.Id));
    }

    [Fact]
    public void A_wrong_code_is_burnt_by_one_guess_and_the_right_one_is_refused_from_then_on()
    {
        PairingCode code = _world.Invite(out InvitationId link);

        Assert.Equal(CodeFailure.Wrong, _world.Join(CodeWorld.WrongOf(code)).Failure);
        CodeResult late = _world.Join(code);

        Assert.Equal((null, CodeFailure.Burnt), (late.Invitation, late.Failure));
        Assert.Equal(InvitationStatus.Open, _world.Book.Find(link, _world.Now.Wall).Status);
    }

    [Fact]
    public void A_new_code_takes_the_place_of_a_burnt_one_and_works()
    {
        PairingCode code = _world.Invite(out InvitationId link);
        _world.Join(CodeWorld.WrongOf(code));

        CodeTally tally = _world.Inviter.TallyOf(link, _world.Now)!;

        Assert.NotEqual(code.Nameplate, tally.Code.Nameplate);
        Assert.Equal((1, IPAddress.Parse("192.0.2.7")), (tally.WrongGuesses, tally.LastWrongFrom));
        Assert.NotNull(_world.Join(tally.Code).Invitation);
    }

    [Fact]
    public void After_six_wrong_guesses_there_is_no_further_code()
    {
        PairingCode code = _world.Invite(out InvitationId link);
        for (int guess = 0; guess <= CodeInviter.RenewalsMax; guess++)
        {
            Assert.False(code.IsNone);
            Assert.Equal(CodeFailure.Wrong, _world.Join(CodeWorld.WrongOf(code)).Failure);
            code = _world.Inviter.TallyOf(link, _world.Now)!.Code;
        }

        Assert.True(code.IsNone);
        Assert.Equal(6, _world.Inviter.TallyOf(link, _world.Now)!.WrongGuesses);
    }

    [Fact]
    public void A_code_is_used_once()
    {
        PairingCode code = _world.Invite(out _);
        Assert.NotNull(_world.Join(code).Invitation);
        Assert.Equal(CodeFailure.Used, _world.Join(code, "192.0.2.8:14590").Failure);
    }

    [Fact]
    public void A_code_is_void_when_its_link_was_used()
    {
        PairingCode code = _world.Invite(out InvitationId link);
        Assert.True(_world.Book.TryTake(link, CodeWorld.Joining.PublicKey, _world.Now.Wall));
        Assert.Equal(CodeFailure.Used, _world.Join(code).Failure);
    }

    [Fact]
    public void The_link_is_void_once_the_code_was_used_and_a_proven_code_is_void_when_the_link_was_faster()
    {
        PairingCode code = _world.Invite(out InvitationId link);
        InvitationSecret secret = _world.Join(code).Invitation!.Secret;
        Assert.True(_world.Book.TryTake(link, CodeWorld.Joining.PublicKey, _world.Now.Wall));
        Assert.False(_world.Book.TryTake(secret.Id, CodeWorld.Joining.PublicKey, _world.Now.Wall));
    }

    [Fact]
    public void An_expired_code_is_refused_as_such()
    {
        PairingCode code = _world.Invite(out _, minutes: 10);
        _world.Pass(TimeSpan.FromMinutes(11));
        Assert.Equal(CodeFailure.Expired, _world.Join(code).Failure);
    }

    [Fact]
    public void Nobody_answers_for_a_code_that_nobody_made()
    {
        PairingCode code = _world.Invite(out _);
        var other = new PairingCode((code.Nameplate + 1) % CodeWords.Count, 1, 1);

        CodeResult result = _world.Join(other);

        Assert.Equal((CodeFailure.Nobody, (IPEndPoint?)null), (result.Failure, result.At));
        Assert.DoesNotContain(_world.Sent, sent => !sent.ByJoiner);
    }

    [Fact]
    public void A_joiner_that_proved_itself_and_did_not_come_makes_room_for_another_code()
    {
        PairingCode code = _world.Invite(out InvitationId link);
        InvitationSecret secret = _world.Join(code).Invitation!.Secret;

        _world.Pass(CodeInviter.JoinWithin + TimeSpan.FromSeconds(1));

        Assert.NotEqual(code, _world.Inviter.TallyOf(link, _world.Now)!.Code);
        Assert.Equal(0, _world.Inviter.TallyOf(link, _world.Now)!.WrongGuesses);
        Assert.False(_world.Book.TryTake(secret.Id, CodeWorld.Joining.PublicKey, _world.Now.Wall));
        Assert.NotNull(_world.Join(_world.Inviter.TallyOf(link, _world.Now)!.Code).Invitation);
    }

    [Fact]
    public void Two_invitations_that_are_open_at_once_do_not_touch_each_other()
    {
        PairingCode first = _world.Invite(out InvitationId firstLink), second = _world.Invite(out InvitationId secondLink);
        _world.Join(CodeWorld.WrongOf(first));

        InvitationSecret secret = _world.Join(second).Invitation!.Secret;

        Assert.Equal(secondLink, _world.Book.RootOf(secret.Id));
        Assert.Equal(CodeFailure.Burnt, _world.Join(first).Failure);
        Assert.NotNull(_world.Join(_world.Inviter.TallyOf(firstLink, _world.Now)!.Code).Invitation);
    }

    [Fact]
    public void Devices_with_the_same_first_word_are_told_apart()
    {
        PairingCode code = _world.Invite(out _);
        byte[] sameWord = new byte[12];
        BinaryPrimitives.WriteUInt16BigEndian(sameWord, code.Nameplate);
        var book = new InvitationBook();
        CodeInviter other = _world.Add("192.0.2.2:14590", book, new ScriptedEntropy(new byte[32], new byte[32], sameWord, [.. Enumerable.Repeat((byte)9, 64)], new byte[12]));
        Assert.Equal(code.Nameplate, other.Offer(book.Create(_world.Now.Wall, TimeSpan.FromMinutes(10), new SeededEntropy(5)).Id).Nameplate);

        CodeResult result = _world.Join(code, "192.0.2.9:14590");

        Assert.Equal("box at 192.0.2.1:14590", result.Invitation?.InviterName);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Every_second_or_third_datagram_may_be_lost(int seed)
    {
        PairingCode code = _world.Invite(out _);
        var random = new Random(seed);
        _world.Filter = (datagram, _) => random.Next(3) == 0 ? null : datagram;
        Assert.NotNull(_world.Join(code).Invitation);
    }

    [Fact]
    public void An_inviter_that_goes_silent_ends_the_attempt()
    {
        PairingCode code = _world.Invite(out _);
        _world.Filter = (datagram, byJoiner) => byJoiner || datagram[1] != (byte)CodeMessageType.Welcome ? datagram : null;
        Assert.Equal(CodeFailure.Silent, _world.Join(code).Failure);
    }
}
