using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Gateways;

namespace AgentMesh.Protocol.Stun.Turn;

/// <summary>
/// One allocation at a TURN server (RFC 8656): an address there at which others reach this device, over one UDP socket. Without sockets and clocks: bytes and the time go
/// in, bytes and the next wake-up come out. One request is under way at a time.
/// <code>
/// state     event                                         then
/// asking    401 or 438 with realm and nonce               asking, proven with them; a second 401 is a failure
/// asking    success                                       held
/// asking    437: there is an old one of this socket       ending that one, and asking again, once
/// asking    300 with an alternate server                  asking that one, twice at most; over a stream failed
/// held      time to refresh, an address or channel wanted held, one request after the other
/// held      437: the server forgot it; or no answer       failed
/// held      Release                                       over, when that was sent
/// </code>
/// What comes from the server but is no proven answer changes nothing. Not thread-safe.
/// </summary>
public sealed class TurnAllocation
{
    /// <summary>Longer than the longest head of a datagram on its way to a peer.</summary>
    public const int OverheadMax = StunMessage.HeaderBytes + 12 + 24 + 4 + 3;

    private const int ChallengesMax = 3;
    private const int RedirectsMax = 2;

    private readonly StunCredentials _credentials;
    private readonly TurnSettings _settings;
    private readonly IEntropy _entropy;
    private readonly TurnPermissions _permissions;
    private readonly TurnChannels _channels;
    private readonly TurnLease _lease;
    private TurnChallenge? _challenge;
    private TurnRequest? _request;
    private int _redirects;
    private bool _hasEndedOld;
    private bool _isReleased;
    private bool _isStirred;

    public TurnAllocation(IPEndPoint server, StunCredentials credentials, TurnSettings settings, IEntropy entropy, TimeSpan now)
    {
        Server = server;
        _credentials = credentials;
        _settings = settings;
        _entropy = entropy;
        _permissions = new TurnPermissions(settings.PermissionsMax);
        _channels = new TurnChannels(settings.ChannelsMax);
        _lease = new TurnLease(settings);
        Begin(TurnRequest.Allocate(_settings.Lifetime), now);
    }

    public IPEndPoint Server { get; private set; }

    /// <summary>The address at the server; null while there is none.</summary>
    public IPEndPoint? Relayed => _lease.Relayed;

    /// <summary>Where the server sees this device's socket; null where it did not say.</summary>
    public IPEndPoint? Mapped => _lease.Mapped;

    /// <summary>Why there is none and will be none; null while there is or may be.</summary>
    public TurnFailure? Failure { get; private set; }

    /// <summary>It failed, or was given back.</summary>
    public bool IsOver => Failure is not null || (_isReleased && _request is null);

    /// <summary>IP addresses that the server lets through now.</summary>
    public int PermissionsGranted => _permissions.Granted;

    public int ChannelsBound => _channels.Bound;

    /// <summary>What the server is known to forget it at, without another refresh.</summary>
    public TimeSpan EndsAt => _lease.EndsAt;

    /// <inheritdoc cref="TurnLease.PortSilence"/>
    public void Heed(TimeSpan? portSilence) => _lease.PortSilence = portSilence;

    /// <summary>Something was asked for, or an answer came, since this was asked last: <see cref="TryTransmit"/> may have something to do before its time.</summary>
    public bool TakeStirred()
    {
        bool isStirred = _isStirred;
        _isStirred = false;
        return isStirred;
    }

    /// <summary>When <see cref="TryTransmit"/> has something to do.</summary>
    public TimeSpan? NextWakeUp(TimeSpan now)
    {
        if (IsOver)
        {
            return null;
        }

        if (_request is { } request)
        {
            return request.NextAt;
        }

        TimeSpan next = _lease.RefreshAt;
        next = _permissions.NextDue is { } permission && permission < next ? permission : next;
        return _channels.NextDue(now) is { } channel && channel < next ? channel : next;
    }

    /// <returns>True when <paramref name="message"/> is to be sent to <see cref="Server"/> now; to be called until false.</returns>
    public bool TryTransmit(TimeSpan now, out ReadOnlySpan<byte> message)
    {
        message = default;
        if (IsOver)
        {
            return false;
        }

        if (_request?.IsGivenUp(now) == true)
        {
            Fail(TurnFailureKind.Silent, Relayed is null ? "no answer" : "it does not answer any more");
            return false;
        }

        if (_request is null && Next(now) is { } next)
        {
            Begin(next, now);
        }

        if (_request is null || !_request.TryTransmit(now, out message))
        {
            return false;
        }

        if (_isReleased)
        {
            // Nobody waits for the answer.
            _request = null;
        }

        return true;
    }

    /// <summary>Takes a datagram that came from <see cref="Server"/>. Never throws for bytes.</summary>
    /// <param name="data">What a peer sent, a part of <paramref name="datagram"/>.</param>
    /// <returns>The peer that sent <paramref name="data"/>; null where none did.</returns>
    public IPEndPoint? Handle(ReadOnlySpan<byte> datagram, TimeSpan now, out ReadOnlySpan<byte> data)
    {
        if (Failure is not null || _isReleased)
        {
            data = default;
            return null;
        }

        if (TurnChannelData.TryRead(datagram, out ushort number, out data))
        {
            return _channels.PeerOf(number) is { } bound ? Used(bound, now) : null;
        }

        if (!StunMessage.TryRead(datagram, out StunMessage message))
        {
            return null;
        }

        if (message.Type == StunType.DataIndication)
        {
            return Relayed is not null && message.TryGet(StunAttribute.Data, out data) && message.TryGetXor(StunAttribute.XorPeerAddress, out IPEndPoint? peer) && peer.Port != 0 ? Used(peer, now) : null;
        }

        if (_request is { } request && message.Transaction == request.Transaction)
        {
            Answered(request, message, now);
            _isStirred = true;
        }

        return null;
    }

    /// <summary>Writes what is to be sent to <see cref="Server"/> so that <paramref name="peer"/> gets the datagram.</summary>
    /// <param name="buffer"><see cref="OverheadMax"/> longer than the datagram.</param>
    /// <returns>Bytes written; 0 while the server does not let this peer through, which it is asked for.</returns>
    public int Wrap(IPEndPoint peer, ReadOnlySpan<byte> datagram, Span<byte> buffer, TimeSpan now)
    {
        if (Relayed is not { } relayed || _isReleased || peer.AddressFamily != relayed.AddressFamily || !Let(peer.Address, now) || !_permissions.IsGranted(peer.Address))
        {
            return 0;
        }

        if (UseChannel(peer, now) is not 0 and var number)
        {
            return TurnChannelData.Write(buffer, number, datagram);
        }

        Span<byte> random = stackalloc byte[StunTransactionId.Bytes];
        _entropy.Fill(random);
        var writer = new StunWriter(buffer, StunType.SendIndication, StunTransactionId.Read(random));
        writer.AddXor(StunAttribute.XorPeerAddress, peer);
        writer.Add(StunAttribute.Data, datagram);
        return writer.Length;
    }

    /// <summary>Lets these IP addresses through from now on, of more than <see cref="TurnSettings.PermissionsMax"/> the first, instead of those of the last call.</summary>
    public void Permit(IEnumerable<IPAddress> peers, TimeSpan now) => _permissions.Keep(peers.Where(peer => peer.AddressFamily == AddressFamily.InterNetwork), now);

    /// <summary>Gives it back: what <see cref="TryTransmit"/> writes next is the last.</summary>
    public void Release(TimeSpan now)
    {
        if (IsOver || _isReleased)
        {
            return;
        }

        _isReleased = true;
        _request = null;
        if (Relayed is not null)
        {
            Begin(TurnRequest.Refresh(TimeSpan.Zero), now);
        }
    }

    private IPEndPoint Used(IPEndPoint peer, TimeSpan now)
    {
        Let(peer.Address, now);
        UseChannel(peer, now);
        return peer;
    }

    private bool Let(IPAddress peer, TimeSpan now)
    {
        bool isLet = _permissions.Use(peer, now, out bool isNew);
        _isStirred |= isNew;
        return isLet;
    }

    private ushort UseChannel(IPEndPoint peer, TimeSpan now)
    {
        ushort number = _channels.Use(peer, now, out bool isNowWorthIt);
        _isStirred |= isNowWorthIt;
        return number;
    }

    private TurnRequest? Next(TimeSpan now)
    {
        if (_isReleased)
        {
            return null;
        }

        if (Relayed is null)
        {
            return TurnRequest.Allocate(_settings.Lifetime);
        }

        if (_permissions.Due(now) is { Length: > 0 } addresses)
        {
            return new TurnRequest(StunType.CreatePermissionRequest) { Addresses = addresses };
        }

        return now >= _lease.RefreshAt ? TurnRequest.Refresh(_settings.Lifetime)
            : _channels.Due(now) is { } channel ? new TurnRequest(StunType.ChannelBindRequest) { Channel = channel }
            : null;
    }

    private void Begin(TurnRequest request, TimeSpan now)
    {
        request.IsReliable = _settings.IsReliable;
        request.Prove(_challenge, _entropy, now);
        _request = request;
    }

    private void Answered(TurnRequest request, in StunMessage message, TimeSpan now)
    {
        const int success = 0x0100, error = 0x0110;
        if ((int)message.Type == ((int)request.Type | error))
        {
            Refused(request, message, now);
        }
        else if ((int)message.Type == ((int)request.Type | success) && request.Challenge is { } challenge && challenge.Key.TryVerify(message, out StunMessage proven))
        {
            _request = null;
            Succeeded(request, proven, now);
        }
        else if ((int)message.Type == ((int)request.Type | success) && request.Challenge is null)
        {
            // A server that wants no user: nothing proves its answers but the transaction.
            _request = null;
            Succeeded(request, message, now);
        }
    }

    private void Succeeded(TurnRequest request, in StunMessage message, TimeSpan now)
    {
        switch (request.Type)
        {
            case StunType.AllocateRequest:
                if (!_lease.TryTake(message, now))
                {
                    Fail(TurnFailureKind.Refused, "its answer names no address");
                    return;
                }

                _permissions.Forget(now);
                _channels.Forget();
                break;
            case StunType.RefreshRequest when request.Lifetime > TimeSpan.Zero:
                _lease.Refreshed(message, now);
                break;
            case StunType.CreatePermissionRequest:
                _permissions.Granting(request.Addresses, now);
                break;
            case StunType.ChannelBindRequest:
                _channels.Granted(request.Channel.Peer, now);
                break;
        }
    }

    private void Refused(TurnRequest request, in StunMessage message, TimeSpan now)
    {
        int code = message.ErrorCode();
        switch (code)
        {
            case 401 when request.Challenge is not null:
                Fail(TurnFailureKind.Credentials, "it does not accept the user or the password");
                break;
            case 401 or 438:
                Challenged(request, message, code, now);
                break;

            // RFC 8656, section 7.3: another allocation of this socket. It is one of this device's from before it was started, which the same user may end.
            case 437 when request.Type == StunType.AllocateRequest && !_hasEndedOld && _challenge is not null:
                _hasEndedOld = true;
                Begin(TurnRequest.Refresh(TimeSpan.Zero), now);
                break;
            case 437 when request is { Type: StunType.RefreshRequest, Lifetime.Ticks: 0 }:
                _request = null;
                break;
            case 437:
                Fail(TurnFailureKind.Silent, "it has forgotten the allocation");
                break;
            case 300 when request.Type == StunType.AllocateRequest && _redirects < RedirectsMax && !_settings.IsReliable && TryGetOther(message, out IPEndPoint? other):
                _redirects++;
                Server = other;
                _challenge = null;
                Begin(TurnRequest.Allocate(_settings.Lifetime), now);
                break;
            default:
                RefusedFor(request, $"it answered with error {code} {message.ErrorReason()}".TrimEnd(), now);
                break;
        }
    }

    private void RefusedFor(TurnRequest request, string why, TimeSpan now)
    {
        _request = null;
        switch (request.Type)
        {
            case StunType.CreatePermissionRequest:
                _permissions.Refused(request.Addresses, now);
                break;
            case StunType.ChannelBindRequest:
                _channels.Refused(request.Channel.Peer, now);
                break;
            case StunType.RefreshRequest when request.Lifetime == TimeSpan.Zero:
                break;
            default:
                Fail(TurnFailureKind.Refused, why);
                break;
        }
    }

    private void Challenged(TurnRequest request, in StunMessage message, int code, TimeSpan now)
    {
        if (!TurnChallenge.TryRead(message, _credentials, out TurnChallenge? challenge))
        {
            Fail(TurnFailureKind.Refused, $"its answer {code} names no realm and nonce that can be used");
        }
        else if (request.Challenges >= ChallengesMax || (request.Challenge is { } same && challenge.IsSame(same)))
        {
            Fail(TurnFailureKind.Refused, "it takes none of its own nonces");
        }
        else
        {
            _challenge = challenge;
            request.Prove(challenge, _entropy, now);
        }
    }

    private bool TryGetOther(in StunMessage message, [NotNullWhen(true)] out IPEndPoint? other) =>
        message.TryGetAlternateServer(out other) && other.AddressFamily == Server.AddressFamily && other.Port != 0 && GatewayAddresses.IsUsable(other.Address);

    private void Fail(TurnFailureKind kind, string text)
    {
        Failure = new TurnFailure(kind, text);
        _lease.Lose();
        _request = null;
    }
}
