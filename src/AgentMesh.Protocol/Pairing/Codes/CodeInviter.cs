using System.Net;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Discovery;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Protocol.Pairing.Codes;

/// <summary>What became of a datagram.</summary>
internal enum CodeOutcome
{
    Answered,

    /// <summary>A wrong proof: the code is burnt.</summary>
    Burnt,

    /// <summary>A right proof: the invitation waits for this joiner.</summary>
    Proven,

    /// <summary>No message of this version for one who invites.</summary>
    Malformed,

    /// <summary>A nameplate, cookie or exchange that is not known here.</summary>
    Unknown,

    /// <summary>An allowance is used up.</summary>
    Limited,
}

/// <summary>
/// The side that made codes (pairing-v1.md): bytes and the present in, an answer to the sender out. Each exchange costs an attacker a guess, and a wrong one ends the code. Not thread-safe.
/// </summary>
internal sealed class CodeInviter(DeviceIdentity identity, string name, InvitationBook book, IEntropy entropy)
{
    /// <summary>Codes that take the place of burnt ones, for one invitation.</summary>
    public const int RenewalsMax = 5;

    /// <summary>Codes remembered in all; the oldest is forgotten first.</summary>
    public const int RememberedMax = 512;

    /// <summary>How long an exchange may hold the others up.</summary>
    public static readonly TimeSpan ExchangeWithin = TimeSpan.FromSeconds(3);

    /// <summary>How long a code can be asked for over a beacon.</summary>
    public static readonly TimeSpan NamedFor = TimeSpan.FromMinutes(10);

    /// <summary>How long after its proof a joiner may begin the handshake.</summary>
    public static readonly TimeSpan JoinWithin = TimeSpan.FromSeconds(30);

    private readonly CodeCookies _cookies = new(entropy);
    private readonly SourceAllowances _askers = new();
    private readonly TokenBucket _questions = new(burst: 40, perSecond: 20);
    private readonly TokenBucket _exchanges = new(burst: 10, perSecond: 2);
    private readonly Dictionary<ushort, CodeOffer> _offers = [];
    private readonly Queue<ushort> _byAge = new();
    private readonly Dictionary<InvitationId, CodeTally> _tallies = [];
    private readonly Dictionary<(UInt128 Nonce, UInt128 Cookie), CodeOffer> _running = [];
    private TimeSpan _renewAt = TimeSpan.MaxValue;

    public int Remembered => _offers.Count;

    /// <summary>Exchanges begun so far, which is what costs most.</summary>
    public long ExchangesBegun { get; private set; }

    /// <summary>A code for an invitation of the book, the first or a further one.</summary>
    public PairingCode Offer(InvitationId invitation)
    {
        PairingCode code;
        do
        {
            code = PairingCode.Next(entropy);
        }
        while (_offers.ContainsKey(code.Nameplate)); // at most half of the words are taken

        _offers.Add(code.Nameplate, new CodeOffer(code, invitation));
        _byAge.Enqueue(code.Nameplate);
        if (_byAge.Count > RememberedMax)
        {
            _offers.Remove(_byAge.Dequeue(), out CodeOffer? oldest);
            End(oldest!);
        }

        if (!_tallies.TryGetValue(invitation, out CodeTally? tally))
        {
            Forget();
            _tallies.Add(invitation, tally = new CodeTally());
        }

        tally.Code = code;
        return code;
    }

    /// <summary>What happened to the codes of an invitation; null when it never had one or that is forgotten.</summary>
    public CodeTally? TallyOf(InvitationId invitation, MeshInstant now)
    {
        RenewUnused(now);
        return _tallies.GetValueOrDefault(invitation);
    }

    /// <summary>The first words of codes that may be asked for over a beacon: the newest, each for ten minutes from its first mention here.</summary>
    public IReadOnlyList<ushort> Nameplates(int max, MeshInstant now)
    {
        var found = new List<ushort>();
        foreach (ushort nameplate in _byAge.Reverse())
        {
            CodeOffer offer = _offers[nameplate];
            offer.NamedAt ??= now.Monotonic;
            if (found.Count < max && now.Monotonic - offer.NamedAt < NamedFor && offer.State != CodeState.Withdrawn)
            {
                found.Add(nameplate);
            }
        }

        return found;
    }

    /// <summary>A code that was shown to nobody; another one takes its place.</summary>
    public void Withdraw(PairingCode code)
    {
        if (IsOwn(code))
        {
            _offers[code.Nameplate].State = CodeState.Withdrawn;
        }
    }

    public bool IsOwn(PairingCode code) => _offers.TryGetValue(code.Nameplate, out CodeOffer? offer) && offer.Code == code;

    /// <param name="joiner">Where the answer goes: the sender, or for a question by multicast its address with the port that the question names.</param>
    /// <param name="answer">Empty where nothing is to be said.</param>
    public CodeOutcome Handle(ReadOnlySpan<byte> datagram, IPEndPoint joiner, MeshInstant now, out byte[] answer)
    {
        answer = [];
        RenewUnused(now);
        if (CodeQuestion.TryRead(datagram, out CodeQuestion question))
        {
            return Ask(question, joiner, now, out answer);
        }

        return !CodeHead.TryRead(datagram, out CodeHead head) ? CodeOutcome.Malformed
            : head.Type == CodeMessageType.Start ? Start(datagram, head, joiner, now, out answer)
            : head.Type == CodeMessageType.Proof ? Prove(datagram, head, joiner, now, out answer)
            : CodeOutcome.Malformed;
    }

    private CodeOutcome Ask(CodeQuestion question, IPEndPoint joiner, MeshInstant now, out byte[] answer)
    {
        answer = [];
        if (!_offers.ContainsKey(question.Nameplate))
        {
            return CodeOutcome.Unknown;
        }

        if (!_askers.TryTake(joiner.Address, now.Monotonic) || !_questions.TryTake(now.Monotonic))
        {
            return CodeOutcome.Limited;
        }

        answer = new CodeHead(CodeMessageType.Here, 0, question.Nonce, _cookies.Make(joiner, question.Nameplate, question.Nonce, now.Monotonic)).ToBytes();
        return CodeOutcome.Answered;
    }

    private CodeOutcome Start(ReadOnlySpan<byte> start, CodeHead head, IPEndPoint joiner, MeshInstant now, out byte[] answer)
    {
        answer = [];
        ushort nameplate = CodeShares.NameplateOf(start);
        if (!_offers.TryGetValue(nameplate, out CodeOffer? offer) || !_cookies.IsValid(head.Cookie, joiner, nameplate, head.Nonce, now.Monotonic))
        {
            return CodeOutcome.Unknown;
        }

        CodeExchange? before = offer.Exchange;
        if (before is not null && before.Joiner.Equals(joiner) && start.SequenceEqual(before.Start))
        {
            answer = before.Answer is null ? before.Share : before.Answer;
            return CodeOutcome.Answered;
        }

        CodeRefusal? refusal = RefusalOf(offer, now);
        if (refusal is null && before is not null && now.Monotonic < before.Until)
        {
            refusal = CodeRefusal.Busy;
        }

        if (refusal is { } why)
        {
            answer = Refuse(head, why);
            return CodeOutcome.Answered;
        }

        if (!_exchanges.TryTake(now.Monotonic))
        {
            return CodeOutcome.Limited;
        }

        ExchangesBegun++;
        using Cpace cpace = Cpace.Begin(offer.Code.Password, CodeShares.Channel, CodeShares.Session(start), entropy);
        byte[] share = new CodeHead(CodeMessageType.Share, 0, head.Nonce, head.Cookie).ToBytes();
        cpace.Share.CopyTo(share.AsSpan(CodeHead.Size));
        Span<byte> key = stackalloc byte[Cpace.KeyBytes];
        if (!cpace.TryFinishResponder(share.AsSpan(0, CodeHead.Size), start[CodeShares.StartDataBytes..], start[..CodeShares.StartDataBytes], key))
        {
            return CodeOutcome.Malformed;
        }

        End(offer);
        offer.Exchange = new CodeExchange(joiner, start.ToArray(), share, new CodeSeals(key), now.Monotonic + ExchangeWithin);
        _running[(head.Nonce, head.Cookie)] = offer;
        answer = share;
        return CodeOutcome.Answered;
    }

    private CodeOutcome Prove(ReadOnlySpan<byte> proof, CodeHead head, IPEndPoint joiner, MeshInstant now, out byte[] answer)
    {
        answer = [];
        if (!_running.TryGetValue((head.Nonce, head.Cookie), out CodeOffer? offer) || offer.Exchange is not { } exchange || !exchange.Joiner.Equals(joiner))
        {
            return CodeOutcome.Unknown;
        }

        if (exchange.Answer is not null)
        {
            // The code is gone or given: only the same question has the same answer.
            answer = proof.SequenceEqual(exchange.Proof) ? exchange.Answer : Refuse(head, offer.State == CodeState.Proven ? CodeRefusal.Used : CodeRefusal.Burnt);
            return CodeOutcome.Answered;
        }

        if (RefusalOf(offer, now) is { } why)
        {
            answer = Refuse(head, why);
            return CodeOutcome.Answered;
        }

        exchange.Proof = proof.ToArray();
        exchange.Answer = answer = TryAccept(offer, exchange, proof, head, now) ?? Burn(offer, head, joiner);
        return offer.State switch
        {
            CodeState.Burnt => CodeOutcome.Burnt,
            CodeState.Proven => CodeOutcome.Proven,
            _ => CodeOutcome.Answered,
        };
    }

    private byte[]? TryAccept(CodeOffer offer, CodeExchange exchange, ReadOnlySpan<byte> proof, CodeHead head, MeshInstant now)
    {
        if (!exchange.Seals.TryOpenProof(proof, out DevicePublicKey key))
        {
            return null;
        }

        if (!book.TryNarrow(offer.Invitation, exchange.Seals.Secret(key, identity.PublicKey), key, JoinWithin, now.Wall))
        {
            return Refuse(head, CodeRefusal.Used);
        }

        offer.State = CodeState.Proven;
        offer.ProvenAt = now.Monotonic;
        _renewAt = now.Monotonic + JoinWithin < _renewAt ? now.Monotonic + JoinWithin : _renewAt;
        return exchange.Seals.Welcome(head.Nonce, head.Cookie, identity.PublicKey, name, key);
    }

    private byte[] Burn(CodeOffer offer, CodeHead head, IPEndPoint joiner)
    {
        offer.State = CodeState.Burnt;
        CodeTally tally = _tallies[offer.Invitation];
        tally.WrongGuesses++;
        tally.LastWrongFrom = joiner.Address;
        Renew(offer.Invitation, tally);
        return Refuse(head, CodeRefusal.Wrong);
    }

    private void Renew(InvitationId invitation, CodeTally tally)
    {
        tally.Code = default;
        if (tally.Renewals < RenewalsMax)
        {
            tally.Renewals++;
            Offer(invitation);
        }
    }

    /// <summary>Who proved a code and then did not come has used it up.</summary>
    private void RenewUnused(MeshInstant now)
    {
        if (now.Monotonic < _renewAt)
        {
            return;
        }

        _renewAt = TimeSpan.MaxValue;
        foreach (CodeOffer offer in _offers.Values.Where(offer => offer.State == CodeState.Proven).ToArray())
        {
            if (now.Monotonic - offer.ProvenAt < JoinWithin)
            {
                _renewAt = offer.ProvenAt + JoinWithin < _renewAt ? offer.ProvenAt + JoinWithin : _renewAt;
                continue;
            }

            offer.State = CodeState.Burnt;
            if (book.Find(offer.Invitation, now.Wall).Status == InvitationStatus.Open)
            {
                Renew(offer.Invitation, _tallies[offer.Invitation]);
            }
        }
    }

    private CodeRefusal? RefusalOf(CodeOffer offer, MeshInstant now) => book.Find(offer.Invitation, now.Wall).Status switch
    {
        InvitationStatus.Used => CodeRefusal.Used,
        InvitationStatus.Open when offer.State == CodeState.Open => null,
        InvitationStatus.Open => offer.State == CodeState.Burnt ? CodeRefusal.Burnt : CodeRefusal.Used,
        _ => CodeRefusal.Expired,
    };

    private void End(CodeOffer offer)
    {
        if (offer.Exchange is { } exchange && CodeHead.TryRead(exchange.Start, out CodeHead head))
        {
            _running.Remove((head.Nonce, head.Cookie));
        }
    }

    private static byte[] Refuse(CodeHead head, CodeRefusal why) => new CodeHead(CodeMessageType.Refusal, (byte)why, head.Nonce, head.Cookie).ToBytes();

    /// <summary>Tallies live as long as one of their codes is remembered.</summary>
    private void Forget()
    {
        if (_tallies.Count >= RememberedMax)
        {
            HashSet<InvitationId> alive = [.. _offers.Values.Select(offer => offer.Invitation)];
            foreach (InvitationId gone in _tallies.Keys.Where(id => !alive.Contains(id)).ToArray())
            {
                _tallies.Remove(gone);
            }
        }
    }
}

/// <summary>What happened to the codes of one invitation.</summary>
internal sealed class CodeTally
{
    /// <summary>The one that counts now; none when there were too many wrong guesses.</summary>
    public PairingCode Code { get; set; }

    public int WrongGuesses { get; set; }

    public IPAddress? LastWrongFrom { get; set; }

    public int Renewals { get; set; }
}
