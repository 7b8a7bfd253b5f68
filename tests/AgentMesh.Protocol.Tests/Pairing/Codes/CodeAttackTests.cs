using System.Net;
using AgentMesh.Protocol.Pairing;
using AgentMesh.Protocol.Pairing.Codes;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Pairing.Codes;

/// <summary>What somebody on the network can do who does not know the code.</summary>
public sealed class CodeAttackTests
{
    private const string Elsewhere = "192.0.2.66:4000";

    private readonly CodeWorld _world = new();

    [Fact]
    public void Guesses_side_by_side_are_one_guess()
    {
        PairingCode code = _world.Invite(out InvitationId link);
        byte[] firstShare = Begin(CodeWorld.WrongOf(code), CodeWorld.JoinerAt, out CodeAttempt first);
        byte[] secondAnswer = Begin(code, Elsewhere, out CodeAttempt second);

        Assert.Equal((CodeMessageType.Share, CodeMessageType.Refusal), ((CodeMessageType)firstShare[1], (CodeMessageType)secondAnswer[1]));
        Assert.Equal((byte)CodeRefusal.Busy, secondAnswer[3]);
        Assert.Equal(CodeOutcome.Burnt, Prove(first, firstShare, CodeWorld.JoinerAt, out _));

        // The first was wrong: the one that waited is refused, although it has the right code.
        Assert.Equal((byte)CodeRefusal.Burnt, _world.Tell(second.Message, out _, Elsewhere)[3]);
        Assert.Equal(1, _world.Inviter.TallyOf(link, _world.Now)!.WrongGuesses);
    }

    [Fact]
    public void Who_begins_and_goes_away_has_learnt_nothing_and_burns_nothing()
    {
        PairingCode code = _world.Invite(out _);
        Begin(CodeWorld.WrongOf(code), Elsewhere, out _);

        // It holds the others up for as long as an exchange may take, not longer.
        Assert.NotNull(_world.Join(code).Invitation);
    }

    [Fact]
    public void A_second_proof_in_the_same_exchange_is_not_looked_at()
    {
        PairingCode code = _world.Invite(out InvitationId link);
        byte[] share = Begin(code, CodeWorld.JoinerAt, out CodeAttempt attempt);
        Assert.True(attempt.TryTakeShare(share));
        byte[] right = attempt.Seals!.Proof(attempt.Nonce, attempt.Cookie, CodeWorld.Joining.PublicKey), wrong = [.. right];
        wrong[^1] ^= 1;

        Assert.Equal((byte)CodeRefusal.Wrong, _world.Tell(wrong, out CodeOutcome burnt)[3]);
        Assert.Equal(CodeOutcome.Burnt, burnt);
        Assert.Equal((byte)CodeRefusal.Burnt, _world.Tell(right, out _)[3]);
        Assert.Equal((byte)CodeRefusal.Wrong, _world.Tell(wrong, out _)[3]);
        Assert.Equal(1, _world.Inviter.TallyOf(link, _world.Now)!.WrongGuesses);
    }

    [Fact]
    public void A_recorded_exchange_played_again_gets_what_it_got_and_nothing_else()
    {
        PairingCode code = _world.Invite(out _);
        _world.Join(code);
        byte[][] recorded = [.. _world.Sent.Where(sent => sent.ByJoiner).Select(sent => sent.Bytes)];
        byte[][] answers = [.. _world.Sent.Where(sent => !sent.ByJoiner).Select(sent => sent.Bytes)];

        foreach (byte[] datagram in recorded)
        {
            byte[] answer = _world.Tell(datagram, out _);
            Assert.Contains(answers, each => each.AsSpan().SequenceEqual(answer));
            Assert.True(CodeQuestion.TryRead(datagram, out _) || _world.Tell(datagram, out _, Elsewhere).Length == 0, "a cookie is for one address");
        }

        Assert.Equal(1, _world.Inviter.ExchangesBegun);
    }

    [Fact]
    public void A_start_without_a_cookie_costs_no_exchange()
    {
        PairingCode code = _world.Invite(out _);
        for (int i = 0; i < 1_000; i++)
        {
            using var attempt = new CodeAttempt(IPEndPoint.Parse(Elsewhere), code, (UInt128)i, 12345, new SeededEntropy(i));
            Assert.Empty(_world.Tell(attempt.Message, out CodeOutcome outcome, Elsewhere));
            Assert.Equal(CodeOutcome.Unknown, outcome);
        }

        Assert.Equal(0, _world.Inviter.ExchangesBegun);
    }

    [Fact]
    public void An_old_cookie_is_worth_nothing()
    {
        PairingCode code = _world.Invite(out _);
        UInt128 cookie = Ask(code, Elsewhere, 1);
        _world.Pass(TimeSpan.FromSeconds(241));
        Ask(code, Elsewhere, 2);
        using var attempt = new CodeAttempt(IPEndPoint.Parse(Elsewhere), code, 1, cookie, new SeededEntropy(1));
        Assert.Empty(_world.Tell(attempt.Message, out _, Elsewhere));
    }

    [Fact]
    public void A_flood_of_questions_is_answered_as_far_as_the_allowance_goes_and_remembered_nowhere()
    {
        PairingCode code = _world.Invite(out _);
        int answered = 0;
        for (int i = 0; i < 100_000; i++)
        {
            byte[] question = new CodeQuestion(0, code.Nameplate, (UInt128)i).ToBytes();
            byte[] answer = _world.Tell(question, out _, $"10.{i >> 16}.{i >> 8 & 255}.{i & 255}:4000");
            Assert.True(answer.Length <= question.Length);
            answered += answer.Length > 0 ? 1 : 0;
        }

        Assert.InRange(answered, 1, 40);
        Assert.Equal(1, _world.Inviter.Remembered);
    }

    [Fact]
    public void Exchanges_are_begun_at_the_rate_of_the_allowance_however_many_codes_there_are()
    {
        PairingCode[] codes = [.. Enumerable.Range(0, 30).Select(_ => _world.Invite(out InvitationId _))];
        for (int i = 0; i < codes.Length; i++)
        {
            Begin(codes[i], $"192.0.2.{100 + i}:4000", out _);
            _world.Pass(TimeSpan.FromMilliseconds(1));
        }

        Assert.InRange(_world.Inviter.ExchangesBegun, 1, 11);
    }

    [Fact]
    public void Ten_thousand_guesses_get_nothing_and_memory_stays_bounded()
    {
        PairingCode code = _world.Invite(out InvitationId link);
        int rightOnes = 0;
        for (int guess = 0; guess < 10_000; guess++)
        {
            // The best there is: the first word is known at once, and it does not take the code's own rest.
            var guessed = new PairingCode(code.Nameplate, guess % CodeWords.Count, guess);
            byte[] answer = guessed == code ? [] : Begin(guessed, Elsewhere, out CodeAttempt attempt) is { Length: CodeShares.ShareSize } share && Prove(attempt, share, Elsewhere, out byte[] told) == CodeOutcome.Proven ? told : [];
            rightOnes += answer.Length == CodeSeals.WelcomeSize ? 1 : 0;
            PairingCode now = _world.Inviter.TallyOf(link, _world.Now)!.Code;
            code = now.IsNone ? code : now;
            _world.Pass(TimeSpan.FromMilliseconds(10));
        }

        Assert.Equal(0, rightOnes);
        Assert.Equal(1 + CodeInviter.RenewalsMax, _world.Inviter.ExchangesBegun);
        Assert.InRange(_world.Inviter.Remembered, 1, CodeInviter.RememberedMax);
    }

    [Fact]
    public void Somebody_in_the_middle_with_another_code_gets_no_key_and_no_name()
    {
        PairingCode code = _world.Invite(out _);
        var middleBook = new InvitationBook();
        InvitationId bait = middleBook.Create(_world.Now.Wall, TimeSpan.FromMinutes(10), new SeededEntropy(1)).Id;
        byte[] sameWord = new byte[12];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(sameWord, code.Nameplate);
        var middle = new CodeInviter(CodeWorld.Joining, "middle", middleBook, new ScriptedEntropy(new byte[32], new byte[32], sameWord, [.. Enumerable.Repeat((byte)9, 64)], new byte[12]));
        middle.Offer(bait);

        using CodeJoiner joiner = _world.NewJoiner(code);
        IPEndPoint victim = IPEndPoint.Parse(CodeWorld.JoinerAt), mitm = IPEndPoint.Parse(Elsewhere);
        middle.Handle(joiner.Question(0), victim, _world.Now, out byte[] here);
        joiner.Handle(here, mitm, _world.Now);
        byte[] start = Last(joiner);
        middle.Handle(start, victim, _world.Now, out byte[] share);
        joiner.Handle(share, mitm, _world.Now);
        byte[] proof = Last(joiner);

        Assert.Equal(CodeOutcome.Burnt, middle.Handle(proof, victim, _world.Now, out _));
        Assert.Null(joiner.Result);
        Assert.DoesNotContain(Convert.ToHexString(CodeWorld.Joining.PublicKey.Span), Convert.ToHexString(proof), StringComparison.Ordinal);

        // Passed on to the device that made the code, the proof of one exchange fits none of another.
        byte[] passedOn = _world.Tell(proof, out CodeOutcome outcome);
        Assert.Equal((0, CodeOutcome.Unknown), (passedOn.Length, outcome));
    }

    [Fact]
    public void A_joiner_shows_its_proof_to_three_devices_at_most()
    {
        PairingCode code = _world.Invite(out _);
        using CodeJoiner joiner = _world.NewJoiner(code);
        int proofs = 0;
        for (int i = 0; i < 40 && joiner.Result is null; i++)
        {
            var book = new InvitationBook();
            byte[] sameWord = new byte[12];
            System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(sameWord, code.Nameplate);
            var liar = new CodeInviter(CodeWorld.Joining, "liar", book, new ScriptedEntropy(new byte[32], new byte[32], sameWord, [.. Enumerable.Repeat((byte)(i + 1), 64)], new byte[12]));
            liar.Offer(book.Create(_world.Now.Wall, TimeSpan.FromMinutes(10), new SeededEntropy(i)).Id);
            var at = new IPEndPoint(IPAddress.Parse("192.0.2.100"), 1000 + i);
            IPEndPoint from = IPEndPoint.Parse(CodeWorld.JoinerAt);
            liar.Handle(joiner.Question(0), from, _world.Now, out byte[] here);
            joiner.Handle(here, at, _world.Now);
            liar.Handle(Last(joiner), from, _world.Now, out byte[] share);
            joiner.Handle(share, at, _world.Now);
            byte[] proof = Last(joiner);
            proofs += proof.Length == CodeSeals.ProofSize ? 1 : 0;
            liar.Handle(proof, from, _world.Now, out byte[] refusal);
            joiner.Handle(refusal, at, _world.Now);
        }

        Assert.Equal(CodeJoiner.ProofsMax, proofs);
        Assert.Equal(CodeFailure.Wrong, joiner.Result?.Failure);
    }

    [Theory]
    [InlineData(15, true)]
    [InlineData(16, false)]
    public void Those_who_answer_and_then_say_nothing_hold_a_joiner_up_but_not_for_long(int liars, bool succeeds)
    {
        PairingCode code = _world.Invite(out _);
        using CodeJoiner joiner = _world.NewJoiner(code);
        TimeSpan began = _world.Now.Monotonic;
        byte[] question = joiner.Question(0);
        Assert.True(CodeQuestion.TryRead(question, out CodeQuestion asked));
        for (int i = 0; i < liars; i++)
        {
            byte[] lie = new CodeHead(CodeMessageType.Here, 0, asked.Nonce, (UInt128)i).ToBytes();
            joiner.Handle(lie, new IPEndPoint(IPAddress.Parse("192.0.2.100"), 1000 + i), _world.Now);
        }

        // The one that made the code is the last to be heard.
        joiner.Handle(_world.Tell(question, out _), IPEndPoint.Parse("192.0.2.1:14590"), _world.Now);
        CodeResult result = _world.Run(joiner);

        Assert.Equal(succeeds, result.Invitation is not null);
        Assert.InRange(_world.Now.Monotonic - began, TimeSpan.Zero, TimeSpan.FromSeconds(31));
    }

    private static byte[] Last(CodeJoiner joiner)
    {
        byte[] last = [];
        while (joiner.TryTransmit(out CodeTransmit transmit))
        {
            last = transmit.Bytes;
        }

        return last;
    }

    private UInt128 Ask(PairingCode code, string from, UInt128 nonce)
    {
        byte[] here = _world.Tell(new CodeQuestion(0, code.Nameplate, nonce).ToBytes(), out _, from);
        return CodeHead.TryRead(here, out CodeHead head) ? head.Cookie : 0;
    }

    private byte[] Begin(PairingCode code, string from, out CodeAttempt attempt)
    {
        UInt128 nonce = (UInt128)from.GetHashCode(StringComparison.Ordinal) + (UInt128)_world.Now.Monotonic.Ticks;
        attempt = new CodeAttempt(IPEndPoint.Parse(from), code, nonce, Ask(code, from, nonce), new SeededEntropy(3));
        return _world.Tell(attempt.Message, out _, from);
    }

    private CodeOutcome Prove(CodeAttempt attempt, byte[] share, string from, out byte[] answer)
    {
        Assert.True(attempt.TryTakeShare(share));
        answer = _world.Tell(attempt.Seals!.Proof(attempt.Nonce, attempt.Cookie, CodeWorld.Joining.PublicKey), out CodeOutcome outcome, from);
        return outcome;
    }
}
