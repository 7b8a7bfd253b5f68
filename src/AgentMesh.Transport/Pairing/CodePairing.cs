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
public sealed class CodePairing : IAsyncDisposable
{
    /// <summary>Codes that can be looked for at the same time.</summary>
    public const int JoinsMax = 4;

    // No message is longer.
    private const int DatagramBytesMax = 256;

    // What comes while these wait is dropped: joiners repeat themselves.
    private const int WaitingMax = 128;

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
        endpoint.PairingTaker = Take;
        _lan?.PairingTaker = TakeFromGroup;
    }

    /// <summary>Somebody tried a wrong code; it does not count any more. On a thread of the pool.</summary>
    public event Action<IPEndPoint>? Guessed;

    /// <summary>A code for an open invitation of the book.</summary>
    /// <exception cref="MeshException">AM0101: libsodium is too old.</exception>
    public PairingCode Offer(InvitationId invitation)
    {
        Ristretto255.Require();
        lock (_gate)
        {
            PairingCode code = _inviter.Offer(invitation);
            _hasOffers = true;
            return code;
        }
    }

    /// <summary>Null for an invitation that never had a code, or is forgotten.</summary>
    public CodeStatus? StatusOf(InvitationId invitation)
    {
        lock (_gate)
        {
            return _inviter.TallyOf(invitation, _endpoint.Now) is { } tally ? new CodeStatus(tally.Code, tally.WrongGuesses, tally.LastWrongFrom) : null;
        }
    }

    /// <summary>Finds the device that made a code and proves to it that the code is known here.</summary>
    /// <param name="code">As a person typed it.</param>
    /// <param name="at">Where that device may be; null to ask on the local network.</param>
    /// <returns>What <see cref="MeshEndpoint.JoinAsync"/> takes, at once: it is open for half a minute.</returns>
    /// <exception cref="MeshException">AM0101, AM0134 to AM0139: why there is none.</exception>
    public async Task<Invitation> FindAsync(string code, IReadOnlyList<IPEndPoint>? at, CancellationToken cancellationToken)
    {
        if (!PairingCode.TryParse(code, out PairingCode parsed, out string problem))
        {
            throw CodeErrors.Malformed(problem);
        }

        if (at is null && _lan is not { Counters.Interfaces: > 0 })
        {
            throw CodeErrors.NothingToAsk(isOff: _lan is null);
        }

        Ristretto255.Require();
        CodeJoiner joiner;
        lock (_gate)
        {
            if (_inviter.IsOwn(parsed))
            {
                throw CodeErrors.Own();
            }

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
            return result.Invitation ?? throw CodeErrors.Of(result, parsed, at);
        }
        finally
        {
            _joins.TryRemove(joiner, out _);
            joiner.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _endpoint.PairingTaker = null;
        _lan?.PairingTaker = null;
        _asked.Writer.TryComplete();
        await _answering.ConfigureAwait(false);
    }

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
        if (datagram.Length is < 2 or > DatagramBytesMax)
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

            if (answer.Length > 0)
            {
                _endpoint.Send(answer, from.Serialize());
            }

            if (outcome == CodeOutcome.Burnt)
            {
                Guessed?.Invoke(from);
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
            _endpoint.Send(transmit.Bytes, to.Serialize());
        }
        else
        {
            _lan!.Multicast(joiner.Question);
        }
    }
}
