using System.Net;
using AgentMesh.Errors;
using AgentMesh.Protocol;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Pairing;
using AgentMesh.Protocol.Pairing.Codes;
using AgentMesh.Transport.Pairing;

namespace AgentMesh.Transport.Tests;

/// <summary>Codes that lead over a beacon which may be malicious.</summary>
public sealed class CodeWayTests : IAsyncDisposable
{
    private readonly FakeBeacon _beacon = new();
    private readonly InvitationBook _book = new();
    private readonly TestDevice _host;
    private readonly TestDevice _guest = new();
    private readonly CodePairing _inviting;
    private readonly CodePairing _joining;

    public CodeWayTests()
    {
        _host = new TestDevice(book: _book);
        _inviting = new CodePairing(_host.Endpoint, null, _host.Identity, "host", _book);
        _joining = new CodePairing(_guest.Endpoint, null, _guest.Identity, "guest", new InvitationBook());
        _inviting.AddWay(_beacon.NewEnd());
        _joining.AddWay(_beacon.NewEnd());
    }

    public async ValueTask DisposeAsync()
    {
        await _inviting.DisposeAsync();
        await _joining.DisposeAsync();
        await _host.DisposeAsync();
        await _guest.DisposeAsync();
    }

    [Fact]
    public async Task A_code_leads_to_the_invitation_that_the_other_side_has_too()
    {
        PairingCode code = await InviteAsync();
        Assert.Equal(["fake:1"], _inviting.WaysOf(code));
        bool proven = false;
        _inviting.Proven += () => proven = true;

        Invitation found = await FindAsync(code.ToString());

        Assert.Equal(("host", _host.Identity.PublicKey), (found.InviterName, found.Key));
        Assert.Empty(found.Addresses);
        Assert.True(proven);
        Assert.Equal(InvitationStatus.Open, _book.Find(found.Secret.Id, TimeProvider.System.GetUtcNow()).Status);
        Assert.Contains(_book.Records, record => record.OnlyFor == _guest.Identity.PublicKey);
    }

    [Fact]
    public async Task A_wrong_code_is_burnt_and_told_and_the_next_one_leads_here_over_the_beacon_too()
    {
        PairingCode code = await InviteAsync();
        var told = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        _inviting.Guessed += from => told.TrySetResult(from);

        Assert.Equal(TransportErrors.CodeWrong, await EndOf(WrongOf(code)));
        Assert.Equal("the beacon fake:1", await told.Task.WaitAsync(EndpointPair.Patience));
        Assert.Equal(TransportErrors.CodeOver, await EndOf(code.ToString()));
        CodeStatus status = _inviting.StatusOf(_book.Records[0].Secret.Id)!.Value;
        Assert.Equal((1, "the beacon fake:1"), (status.WrongGuesses, status.LastWrongFrom));
        Assert.Equal("", await EndOf(status.Code.ToString()));
    }

    [Fact]
    public async Task A_beacon_that_delivers_everything_three_times_and_out_of_order_lets_one_in_once()
    {
        PairingCode code = await InviteAsync();
        byte[]? before = null;
        _beacon.Does = (message, _) =>
        {
            byte[] earlier = Interlocked.Exchange(ref before, message) ?? message;
            return [message, earlier, message, message];
        };

        Invitation found = await FindAsync(code.ToString());

        Assert.Equal(_host.Identity.PublicKey, found.Key);
        Assert.Single(_book.Records, record => !record.Of.IsNone);
        Assert.Equal(0, _inviting.StatusOf(RootOf(found))!.Value.WrongGuesses);
    }

    [Fact]
    public async Task A_beacon_that_drops_everything_gets_nothing_and_the_code_stays_good()
    {
        PairingCode code = await InviteAsync();
        _beacon.Does = (_, _) => [];
        Assert.Equal(TransportErrors.CodeNobody, await EndOf(code.ToString()));
        _beacon.Does = (message, _) => [message];
        Assert.Equal("", await EndOf(code.ToString()));
    }

    [Theory]
    [InlineData(CodeMessageType.Share)]
    [InlineData(CodeMessageType.Proof)]
    [InlineData(CodeMessageType.Welcome)]
    public async Task A_beacon_that_puts_its_own_bytes_in_place_of_a_message_lets_nobody_in(object changed)
    {
        PairingCode code = await InviteAsync();
        _beacon.Does = (message, _) =>
        {
            byte[] sent = [.. message];
            if (sent[1] == (byte)(CodeMessageType)changed)
            {
                // All that is not said in the clear; a share becomes that of nobody.
                SystemEntropy.Instance.Fill(sent.AsSpan(CodeHead.Size));
            }

            return [sent];
        };

        Assert.NotEqual("", await EndOf(code.ToString()));
        Assert.DoesNotContain(_book.Records, record => record.IsUsed);
    }

    [Fact]
    public async Task A_beacon_that_leads_to_another_device_gets_one_guess_and_no_key()
    {
        PairingCode code = await InviteAsync();
        await using var liar = new TestDevice();
        var liarsBook = new InvitationBook();
        // It knows the first word, as every beacon does, and nothing else.
        var lies = new CodeInviter(liar.Identity, "host", liarsBook, new FirstWord(code.Nameplate));
        lies.Offer(liarsBook.Create(TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(10), SystemEntropy.Instance).Id);
        var seen = new List<byte[]>();
        ICodeWay end = new FakeBeacon().NewEnd();
        await using var victim = new CodePairing(_guest.Endpoint, null, _guest.Identity, "guest", new InvitationBook());
        victim.AddWay(new LyingWay(end, message =>
        {
            seen.Add(message);
            lies.Handle(message, new IPEndPoint(IPAddress.Loopback, 1), new MeshInstant(TimeSpan.FromSeconds(1), TimeProvider.System.GetUtcNow()), out byte[] answer);
            return answer;
        }));

        await Assert.ThrowsAsync<MeshException>(() => victim.FindAsync(code.ToString(), null, CancellationToken.None).WaitAsync(EndpointPair.Patience));

        Assert.Single(seen.Where(message => message[1] == (byte)CodeMessageType.Proof).Select(Convert.ToHexString).Distinct());
        Assert.DoesNotContain(seen, message => Convert.ToHexString(message).Contains(Convert.ToHexString(_guest.Identity.PublicKey.Span), StringComparison.Ordinal));
    }

    [Fact]
    public void Ten_thousand_guesses_of_a_beacon_that_keeps_to_no_limit_get_nothing()
    {
        var now = new MeshInstant(TimeSpan.FromSeconds(1_000), DateTimeOffset.UnixEpoch);
        InvitationId invitation = _book.Create(now.Wall, TimeSpan.FromDays(1), SystemEntropy.Instance).Id;
        var inviter = new CodeInviter(_host.Identity, "host", _book, SystemEntropy.Instance);
        inviter.Offer(invitation);
        int proofs = 0;
        for (uint guess = 1; guess <= 10_000; guess++)
        {
            now = new MeshInstant(now.Monotonic + TimeSpan.FromSeconds(1), now.Wall + TimeSpan.FromSeconds(1));
            IPEndPoint caller = CodeWayAddress.Of(1, guess);

            // A beacon sees the first word of each new code.
            if (inviter.TallyOf(invitation, now) is not { Code: { IsNone: false } code })
            {
                code = new PairingCode((int)guess % CodeWords.Count, 0, 0);
            }

            var guessed = new PairingCode(code.Nameplate, (int)guess % CodeWords.Count, (int)guess);
            Assert.NotEqual(code, guessed);
            inviter.Handle(new CodeQuestion(0, code.Nameplate, guess).ToBytes(), caller, now, out byte[] here);
            if (!CodeHead.TryRead(here, out CodeHead head))
            {
                continue;
            }

            using var attempt = new CodeAttempt(caller, guessed, guess, head.Cookie, SystemEntropy.Instance);
            inviter.Handle(attempt.Message, caller, now, out byte[] share);
            if (share.Length == CodeShares.ShareSize && attempt.TryTakeShare(share))
            {
                proofs++;
                Assert.Equal(CodeOutcome.Burnt, inviter.Handle(attempt.Seals!.Proof(guess, head.Cookie, _guest.Identity.PublicKey), caller, now, out _));
            }
        }

        Assert.Equal(1 + CodeInviter.RenewalsMax, proofs);
        Assert.Single(_book.Records);
        Assert.Equal(InvitationStatus.Open, _book.Find(invitation, now.Wall).Status);
    }

    [Fact]
    public async Task A_code_whose_first_word_is_taken_at_the_beacon_is_exchanged_before_it_is_shown()
    {
        ICodeWay other = _beacon.NewEnd();
        await using var free = new TestDevice();
        // All but every fourth word are taken by others.
        other.Offer([.. Enumerable.Range(0, CodeWords.Count).Where(word => word % 4 != 0).Select(word => (ushort)word)]);
        var book = new InvitationBook();
        await using var inviting = new CodePairing(free.Endpoint, null, free.Identity, "free", book);
        ICodeWay end = _beacon.NewEnd();
        inviting.AddWay(end);
        int open = 0;
        for (int i = 0; i < 30; i++)
        {
            InvitationId invitation = book.Create(TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(10), SystemEntropy.Instance).Id;
            PairingCode code = await inviting.OfferAsync(invitation, CancellationToken.None);
            Assert.Equal(code, inviting.StatusOf(invitation)!.Value.Code);
            open += inviting.WaysOf(code).Count;
        }

        // One in four at the first attempt, two in three after four; a code that is taken even then works on the network alone.
        Assert.InRange(open, 9, 30);
    }

    [Fact]
    public async Task Without_any_beacon_that_answers_the_code_cannot_be_looked_for()
    {
        await using var lonely = new CodePairing(_guest.Endpoint, null, _guest.Identity, "guest", new InvitationBook());
        lonely.AddWay(new LyingWay(new FakeBeacon().NewEnd(), _ => []) { IsOpen = false });
        MeshException error = await Assert.ThrowsAsync<MeshException>(() => lonely.FindAsync("amber-walnut-4821", null, CancellationToken.None).WaitAsync(EndpointPair.Patience));
        Assert.Equal(TransportErrors.CodeNoBeacon, error.Code);
        Assert.Contains("fake:1", error.Message, StringComparison.Ordinal);
    }

    private static string WrongOf(PairingCode code) => code.ToString()[..^1] + (code.ToString()[^1] == '0' ? '1' : '0');

    private InvitationId RootOf(Invitation found) => _book.RootOf(found.Secret.Id);

    private async Task<PairingCode> InviteAsync() =>
        await _inviting.OfferAsync(_book.Create(TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(10), SystemEntropy.Instance).Id, CancellationToken.None);

    private Task<Invitation> FindAsync(string code) => _joining.FindAsync(code, null, CancellationToken.None).WaitAsync(EndpointPair.Patience);

    private async Task<string> EndOf(string code)
    {
        try
        {
            await FindAsync(code);
            return "";
        }
        catch (MeshException error)
        {
            return error.Code;
        }
    }

    /// <summary>Makes a code that begins with one word; those after it begin with any.</summary>
    private sealed class FirstWord(ushort nameplate) : IEntropy
    {
        private bool _isSaid;

        public void Fill(Span<byte> destination)
        {
            SystemEntropy.Instance.Fill(destination);
            if (destination.Length == 12 && !_isSaid)
            {
                _isSaid = true;
                System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(destination, nameplate);
            }
        }
    }

    /// <summary>Answers by itself.</summary>
    private sealed class LyingWay(ICodeWay inner, Func<byte[], byte[]> answer) : ICodeWay
    {
        public string Name => inner.Name;

        public bool IsOpen { get; init; } = true;

        public ICodeTaker? Taker { get; set; }

        public void Offer(IReadOnlyList<ushort> nameplates)
        {
        }

        public CodePlaceState StateOf(ushort nameplate) => CodePlaceState.Unknown;

        public void Answer(uint caller, byte[] message)
        {
        }

        public void Ask(ushort nameplate, byte[] message)
        {
            if (answer(message) is { Length: > 0 } said)
            {
                Taker?.TakeAnswer(this, said);
            }
        }
    }
}
