using System.Net;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Gateways;

namespace AgentMesh.Protocol.Stun;

/// <summary>
/// One question to one server: at which address does it see this device? Without sockets and clocks: bytes and the time go in, bytes and the next wake-up come out.
/// <code>
/// state      event                          then
/// asking     the time to repeat has come    asking, or silent after the last repetition
/// asking     success                        answered
/// asking     300 with an alternate server   asking that one, twice at most
/// asking     another error                  refused
/// </code>
/// Not thread-safe.
/// </summary>
public sealed class StunBinding
{
    private const int RedirectsMax = 2;
    private const int TryAlternate = 300;

    private readonly IEntropy _entropy;
    private readonly byte[] _request = new byte[StunMessage.HeaderBytes + StunFingerprint.AttributeBytes];
    private StunTransactionId _transaction;
    private TimeSpan _next;
    private int _sent;
    private int _redirects;

    public StunBinding(IPEndPoint server, IEntropy entropy, TimeSpan now)
    {
        Server = server;
        _entropy = entropy;
        Begin(now);
    }

    public IPEndPoint Server { get; private set; }

    /// <summary>The address seen; null until it is answered.</summary>
    public IPEndPoint? Mapped { get; private set; }

    /// <summary>Why there will be no answer; null while there may be.</summary>
    public string? Failure { get; private set; }

    public bool IsOver => Mapped is not null || Failure is not null;

    public TimeSpan? NextWakeUp => IsOver ? null : _next;

    /// <returns>True when <paramref name="request"/> is to be sent to <see cref="Server"/> now.</returns>
    public bool TryTransmit(TimeSpan now, out ReadOnlySpan<byte> request)
    {
        request = default;
        if (IsOver || now < _next)
        {
            return false;
        }

        if (_sent == RetransmissionSchedule.Stun.Transmissions)
        {
            Failure = "no answer";
            return false;
        }

        _sent++;
        _next = now + RetransmissionSchedule.Stun.WaitAfter(_sent);
        request = _request;
        return true;
    }

    /// <returns>True when the message was an answer to this question.</returns>
    public bool Handle(in StunMessage message, IPEndPoint from, TimeSpan now)
    {
        if (IsOver || message.Transaction != _transaction || !from.Equals(Server))
        {
            return false;
        }

        if (message.Type == StunType.BindingSuccess)
        {
            if (message.TryGetMapped(out IPEndPoint? mapped) && mapped.Port != 0 && GatewayAddresses.IsUsable(mapped.Address))
            {
                Mapped = mapped;
            }
            else
            {
                Failure = "its answer names no address";
            }

            return true;
        }

        if (message.Type != StunType.BindingError)
        {
            return false;
        }

        if (message.ErrorCode() == TryAlternate && _redirects < RedirectsMax && message.TryGetAlternateServer(out IPEndPoint? other)
            && other.AddressFamily == Server.AddressFamily && other.Port != 0 && GatewayAddresses.IsUsable(other.Address))
        {
            _redirects++;
            Server = other;
            Begin(now);
        }
        else
        {
            Failure = $"it answered with error {message.ErrorCode()} {message.ErrorReason()}".TrimEnd();
        }

        return true;
    }

    private void Begin(TimeSpan now)
    {
        Span<byte> random = stackalloc byte[StunTransactionId.Bytes];
        _entropy.Fill(random);
        _transaction = StunTransactionId.Read(random);
        var writer = new StunWriter(_request, StunType.BindingRequest, _transaction);
        writer.AddFingerprint();
        _sent = 0;
        _next = now;
    }
}
