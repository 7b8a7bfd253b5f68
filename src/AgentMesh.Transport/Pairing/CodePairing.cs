using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using AgentMesh.Errors;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Pairing;
using AgentMesh.Protocol.Pairing.Codes;
using AgentMesh.Transport.Discovery;

namespace AgentMesh.Transport.Pairing;

/// <summary>
/// Pairing by code (pairing-v1.md) on the sockets of an endpoint and, where there is one, of the discovery on the local network: makes codes for invitations and answers for them, and
/// turns a code that a person typed into an invitation. Thread-safe.
/// </summary>
public sealed class CodePairing : ICodeTaker, IAsyncDisposable
{
    /// <summary>Codes that can be looked for at the same time.</summary>
    public const int JoinsMax = 4;

    // No message is longer.
    private const int DatagramBytesMax = 256;

    // What comes while these wait is dropped: joiners repeat themselves.
    private const int WaitingMax = 128;

    // An answer of a beacon takes a round trip; who waits longer is told that the beacon has not answered.
    private static readonly TimeSpan PlacedWithin = TimeSpan.FromSeconds(2);

    // A first word that is taken at a beacon is exchanged for another one; among thousands of codes most are free.
    private const int OffersMax = 4;

    private readonly CodeWays _ways = new();
    private volatile TaskCompletionSource _placed = NewSignal();

    private readonly MeshEndpoint _endpoint;
    private readonly LanDiscovery? _lan;
    private readonly DeviceIdentity _identity;
    private readonly CodeInviter _inviter;
    private readonly Lock _gate = new();
    private readonly Channel<(byte[] Datagram, IPEndPoint From)> _asked = Inbox();
    private readonly ConcurrentDictionary<CodeJoiner, Channel<(byte[] Datagram, IPEndPoint From)>> _joins = new();
    private readonly Task _answering;
    private volatile bool _hasOffers;

    /// <param name="lan">Null: codes lead only to devices whose address is given.</param>
    /// <param name="name">What this device calls itself, for those who have proven a code.</param>
    /// <param name="book">Holds the invitations that codes are made for.</param>
    public CodePairing(MeshEndpoint endpoint, LanDiscovery? lan, DeviceIdentity identity, string name, InvitationBook book)
    {
        _endpoint = endpoint;
        _lan = lan;
        _identity = identity;
        _inviter = new CodeInviter(identity, name, book, endpoint.Entropy);
        _answering = Task.Run(AnswerAsync);
        endpoint.Arrivals.PairingTaker = Take;
        _lan?.PairingTaker = TakeFromGroup;
    }

    /// <summary>Somebody tried a wrong code; it does not count any more. On a thread of the pool.</summary>
    public event Action<string>? Guessed;

    /// <summary>Somebody has proven a code and is about to join: the book has an invitation for it. On a thread of the pool.</summary>
    public event Action? Proven;

    /// <summary>Codes can be asked for on the local network.</summary>
    public bool HasLink => _lan is { Counters.Interfaces: > 0 };

    /// <summary>From now on codes lead here over this way too, and are looked for there.</summary>
    public void AddWay(ICodeWay way)
    {
        _ways.Add(way);
        way.Taker = this;
        OfferAll();
    }

    public void RemoveWay(ICodeWay way)
    {
        way.Taker = null;
        _ways.Remove(way);
    }

    /// <summary>As <see cref="Offer"/>, and waits until the beacons that are there have taken the code in; one whose first word is taken at one of them is exchanged for another.</summary>
    /// <exception cref="MeshException">AM0101: libsodium is too old.</exception>
    public async Task<PairingCode> OfferAsync(InvitationId invitation, CancellationToken cancellationToken)
    {
        PairingCode code = Offer(invitation);
        long start = _endpoint.Time.GetTimestamp();
        for (int offers = 1; ; )
        {
            Task changed = _placed.Task;
            CodePlaceState[] states = [.. _ways.All.Where(way => way.IsOpen).Select(way => way.StateOf(code.Nameplate))];
            TimeSpan left = PlacedWithin - _endpoint.Time.GetElapsedTime(start);
            if (states.Contains(CodePlaceState.Occupied) && offers < OffersMax)
            {
                offers++;
                Withdraw(code);
                code = Offer(invitation);
            }
            else if (!states.Contains(CodePlaceState.Unknown) || left <= TimeSpan.Zero)
            {
                return code;
            }
            else
            {
                await Task.WhenAny(changed, Task.Delay(left, _endpoint.Time, cancellationToken)).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
    }

    /// <summary>The beacons through which a code leads here now.</summary>
    public IReadOnlyList<string> WaysOf(PairingCode code) =>
        code.IsNone ? [] : [.. _ways.All.Where(way => way.IsOpen && way.StateOf(code.Nameplate) == CodePlaceState.Open).Select(way => way.Name).Order(StringComparer.Ordinal)];

    /// <summary>A code for an open invitation of the book.</summary>
    /// <exception cref="MeshException">AM0101: libsodium is too old.</exception>
    public PairingCode Offer(InvitationId invitation)
    {
        Ristretto255.Require();
        lock (_gate)
        {
            PairingCode code = _inviter.Offer(invitation);
            _hasOffers = true;
            OfferAll();
            return code;
        }
    }

    /// <summary>Null for an invitation that never had a code, or is forgotten.</summary>
    public CodeStatus? StatusOf(InvitationId invitation)
    {
        lock (_gate)
        {
            return _inviter.TallyOf(invitation, _endpoint.Now) is { } tally ? new CodeStatus(tally.Code, tally.WrongGuesses, tally.LastWrongFrom is { } from ? _ways.NameOf(from) : null) : null;
        }
    }

    /// <summary>Finds the device that made a code and proves to it that the code is known here.</summary>
    /// <param name="code">As a person typed it.</param>
    /// <param name="at">Where that device may be; null to ask on the local network and at the beacons.</param>
    /// <returns>What <see cref="MeshEndpoint.JoinAsync"/> takes, at once: it is open for half a minute.</returns>
    /// <exception cref="MeshException">AM0101, AM0134 to AM0139, AM0173: why there is none.</exception>
    public async Task<Invitation> FindAsync(string code, IReadOnlyList<IPEndPoint>? at, CancellationToken cancellationToken)
    {
        if (!PairingCode.TryParse(code, out PairingCode parsed, out string problem))
        {
            throw CodeErrors.Malformed(problem);
        }

        lock (_gate)
        {
            if (_inviter.IsOwn(parsed))
            {
                throw CodeErrors.Own();
            }
        }

        if (at is null && !HasLink && _ways.IsEmpty)
        {
            throw CodeErrors.NothingToAsk(isOff: _lan is null);
        }

        Ristretto255.Require();
        CodeJoiner joiner;
        lock (_gate)
        {
            if (_joins.Count >= JoinsMax)
            {
                throw new MeshException(TransportErrors.CodeBrokenOff, $"{JoinsMax} other codes are being looked for by this device", "Try again in a few seconds.");
            }

            joiner = new CodeJoiner(parsed, _identity.PublicKey, at, _endpoint.Entropy, _endpoint.Now);
            _joins[joiner] = Inbox();
        }

        try
        {
            CodeResult result = await RunAsync(joiner, _joins[joiner].Reader, cancellationToken).ConfigureAwait(false);
            if (result.Invitation is not { } found)
            {
                throw CodeErrors.Of(result, parsed, new CodeSearch(at, HasLink, [.. _ways.All.Where(way => way.IsOpen).Select(way => way.Name)], [.. _ways.All.Where(way => !way.IsOpen).Select(way => way.Name)]), _ways.NameOf);
            }

            // A way stands for no address; the beacon opens a channel for the handshake.
            return result.At is { } place && CodeWayAddress.TryRead(place.Address, out _, out _) ? found with { Addresses = [] } : found;
        }
        finally
        {
            _joins.TryRemove(joiner, out _);
            joiner.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _endpoint.Arrivals.PairingTaker = null;
        _lan?.PairingTaker = null;
        foreach (ICodeWay way in _ways.All)
        {
            way.Taker = null;
        }

        _asked.Writer.TryComplete();
        await _answering.ConfigureAwait(false);
    }

    void ICodeTaker.TakeQuestion(ICodeWay way, uint caller, byte[] message)
    {
        if (_hasOffers && _ways.AddressOf(way, caller) is { } from)
        {
            _asked.Writer.TryWrite((message, from));
        }
    }

    void ICodeTaker.TakeAnswer(ICodeWay way, byte[] message)
    {
        if (_ways.AddressOf(way, caller: 0) is { } from)
        {
            foreach (Channel<(byte[] Datagram, IPEndPoint From)> inbox in _joins.Values)
            {
                inbox.Writer.TryWrite((message, from));
            }
        }
    }

    void ICodeTaker.TakeChange(ICodeWay way) => Interlocked.Exchange(ref _placed, NewSignal()).TrySetResult();

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static Channel<(byte[] Datagram, IPEndPoint From)> Inbox() =>
        Channel.CreateBounded<(byte[] Datagram, IPEndPoint From)>(new BoundedChannelOptions(WaitingMax) { FullMode = BoundedChannelFullMode.DropWrite });

    private void TakeFromGroup(ReadOnlySpan<byte> datagram, IPAddress source)
    {
        if (_hasOffers && CodeQuestion.TryRead(datagram, out CodeQuestion question) && question.Port != 0)
        {
            _asked.Writer.TryWrite((datagram.ToArray(), new IPEndPoint(source, question.Port)));
        }
    }

    private void Take(ReadOnlySpan<byte> datagram, IPEndPoint from)
    {
        if (datagram.Length is < 2 or > DatagramBytesMax || CodeWayAddress.TryRead(from.Address, out _, out _))
        {
            return;
        }

        if ((CodeMessageType)datagram[1] is CodeMessageType.Question or CodeMessageType.Start or CodeMessageType.Proof)
        {
            if (_hasOffers)
            {
                _asked.Writer.TryWrite((datagram.ToArray(), from));
            }
        }
        else if (!_joins.IsEmpty)
        {
            byte[] copy = datagram.ToArray();
            foreach (Channel<(byte[] Datagram, IPEndPoint From)> inbox in _joins.Values)
            {
                inbox.Writer.TryWrite((copy, from));
            }
        }
    }

    private async Task AnswerAsync()
    {
        await foreach ((byte[] datagram, IPEndPoint from) in _asked.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            CodeOutcome outcome;
            byte[] answer;
            lock (_gate)
            {
                outcome = _inviter.Handle(datagram, from, _endpoint.Now, out answer);
            }

            // The other side comes for the channel of its new invitation as soon as it has the answer.
            if (outcome == CodeOutcome.Proven)
            {
                Proven?.Invoke();
            }

            if (answer.Length > 0)
            {
                Send(answer, from);
            }

            if (outcome == CodeOutcome.Burnt)
            {
                OfferAll();
                Guessed?.Invoke(_ways.NameOf(from));
            }
        }
    }

    private async Task<CodeResult> RunAsync(CodeJoiner joiner, ChannelReader<(byte[] Datagram, IPEndPoint From)> inbox, CancellationToken cancellationToken)
    {
        while (true)
        {
            while (inbox.TryRead(out (byte[] Datagram, IPEndPoint From) next))
            {
                joiner.Handle(next.Datagram, next.From, _endpoint.Now);
            }

            joiner.Tick(_endpoint.Now);
            while (joiner.TryTransmit(out CodeTransmit transmit))
            {
                Send(joiner, transmit);
            }

            if (joiner.Result is { } result)
            {
                return result;
            }

            TimeSpan wait = joiner.Next - _endpoint.Now.Monotonic;
            using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            await Task.WhenAny(
                inbox.WaitToReadAsync(over.Token).AsTask(),
                Task.Delay(wait > TimeSpan.FromMilliseconds(1) ? wait : TimeSpan.FromMilliseconds(1), _endpoint.Time, over.Token)).ConfigureAwait(false);
            await over.CancelAsync().ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private void Send(CodeJoiner joiner, CodeTransmit transmit)
    {
        if (transmit.To is { } to)
        {
            Send(transmit.Bytes, to, joiner.Nameplate);
            return;
        }

        if (HasLink)
        {
            _lan!.Multicast(joiner.Question);
        }

        foreach (ICodeWay way in _ways.All)
        {
            way.Ask(joiner.Nameplate, transmit.Bytes);
        }
    }

    private void Send(byte[] message, IPEndPoint to, ushort nameplate = 0)
    {
        if (!CodeWayAddress.TryRead(to.Address, out _, out _))
        {
            _endpoint.Send(message, to);
        }
        else if (_ways.At(to.Address, out uint caller) is { } way)
        {
            if (caller == 0)
            {
                way.Ask(nameplate, message);
            }
            else
            {
                way.Answer(caller, message);
            }
        }
    }

    private void OfferAll()
    {
        lock (_gate)
        {
            IReadOnlyList<ushort> nameplates = _inviter.Nameplates(ICodeWay.NameplatesMax, _endpoint.Now);
            foreach (ICodeWay way in _ways.All)
            {
                way.Offer(nameplates);
            }
        }
    }

    private void Withdraw(PairingCode code)
    {
        lock (_gate)
        {
            _inviter.Withdraw(code);
        }
    }
}
