using System.Security.Cryptography;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Packets;

/// <summary>
/// Renewal of the keys by messages inside the session.
/// <code>
/// state      event                                     action                                  next
/// Idle       time or packet limit reached              send Request                            Requested
/// Idle       Request for the next epoch                install next keys, send Answer          Answered
/// Requested  Answer                                    install and use the next keys           Idle
/// Requested  Request, this side opened the session     ignore: the own request wins            Requested
/// Requested  Request, other side opened the session    drop the own, install, send Answer      Answered
/// Answered   packet sealed with the next keys          use the next keys                       Idle
/// any        anything about an epoch already reached   ignore                                  same
/// </code>
/// </summary>
internal sealed class RekeyMachine(KeyRing ring, bool isInitiator, RekeySettings settings, IEntropy entropy) : IDisposable
{
    private readonly byte[] _outgoing = new byte[RekeyMessage.Size];
    private readonly byte[] _ephemeralPrivate = new byte[X25519.KeyBytes];
    private readonly byte[] _ephemeralPublic = new byte[X25519.KeyBytes];
    private bool _hasOutgoing;
    private bool _requested;

    /// <summary>The side that opened asks first; the other one only where that did not happen. Saves most simultaneous requests.</summary>
    private TimeSpan Interval => isInitiator ? settings.Interval : settings.Interval + (settings.Interval / 10);

    public TimeSpan DueAt
    {
        get
        {
            if (_hasOutgoing)
            {
                return TimeSpan.Zero;
            }

            return _requested || ring.HasNext ? TimeSpan.MaxValue
                : ring.Current.Sealed >= settings.PacketsMax ? TimeSpan.Zero
                : ring.Current.InstalledAt + Interval;
        }
    }

    public bool TryWrite(Span<byte> message, TimeSpan now, out int length)
    {
        if (!_hasOutgoing && DueAt <= now)
        {
            Request();
        }

        length = _hasOutgoing ? RekeyMessage.Size : 0;
        if (!_hasOutgoing)
        {
            return false;
        }

        _outgoing.CopyTo(message);
        _hasOutgoing = false;
        return true;
    }

    /// <summary>False for bytes that no correct device sends.</summary>
    public bool Handle(ReadOnlySpan<byte> source, TimeSpan now)
    {
        if (!RekeyMessage.TryRead(source, out RekeyMessage message))
        {
            return false;
        }

        if (message.Epoch != ring.Current.Epoch + 1)
        {
            return message.Epoch <= ring.Current.Epoch; // late repetitions are harmless, the future cannot be known
        }

        return message.Kind == RekeyMessage.KindOf.Request ? HandleRequest(message, now) : HandleAnswer(message, now);
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(_ephemeralPrivate);

    private void Request()
    {
        entropy.Fill(_ephemeralPrivate);
        X25519.PublicKeyOf(_ephemeralPrivate, _ephemeralPublic);
        Queue(RekeyMessage.KindOf.Request);
        _requested = true;
    }

    private bool HandleRequest(in RekeyMessage request, TimeSpan now)
    {
        if (ring.HasNext || (_requested && isInitiator))
        {
            return true; // a repetition of what was answered, or glare that this side wins
        }

        entropy.Fill(_ephemeralPrivate);
        X25519.PublicKeyOf(_ephemeralPrivate, _ephemeralPublic);
        _requested = false;
        if (!TryNextChain(request.Ephemeral, request.Ephemeral, _ephemeralPublic, out KeyChain? chain))
        {
            return false;
        }

        ring.InstallNext(chain!, now);
        Queue(RekeyMessage.KindOf.Answer);
        return true;
    }

    private bool HandleAnswer(in RekeyMessage answer, TimeSpan now)
    {
        if (!_requested)
        {
            return false;
        }

        _requested = false;
        if (!TryNextChain(answer.Ephemeral, _ephemeralPublic, answer.Ephemeral, out KeyChain? chain))
        {
            return false;
        }

        ring.InstallNext(chain!, now);
        ring.Promote();
        return true;
    }

    private bool TryNextChain(ReadOnlySpan<byte> remote, ReadOnlySpan<byte> request, ReadOnlySpan<byte> answer, out KeyChain? chain)
    {
        Span<byte> shared = stackalloc byte[X25519.KeyBytes];
        bool agreed = X25519.TryAgree(_ephemeralPrivate, remote, shared);
        CryptographicOperations.ZeroMemory(_ephemeralPrivate);
        chain = agreed ? ring.Current.Chain.Next(ring.Current.Epoch + 1, shared, request, answer) : null;
        CryptographicOperations.ZeroMemory(shared);
        return agreed;
    }

    private void Queue(RekeyMessage.KindOf kind)
    {
        new RekeyMessage(kind, ring.Current.Epoch + 1, _ephemeralPublic).Write(_outgoing);
        _hasOutgoing = true;
    }
}
