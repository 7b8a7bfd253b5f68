using System.Security.Cryptography;
using AgentMesh.Errors;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Noise;

/// <summary>
/// Noise specification, section 5.3: one side of one handshake. Writing and reading alternate. After a failed <see cref="TryRead"/> the state is spent.
/// </summary>
internal sealed class HandshakeState : IDisposable
{
    private readonly NoisePattern _pattern;
    private readonly bool _isInitiator;
    private readonly SymmetricState _symmetric;
    private readonly byte[] _staticPrivate;
    private readonly byte[] _staticPublic;
    private readonly byte[] _ephemeralPrivate = new byte[X25519.KeyBytes];
    private readonly byte[] _ephemeralPublic = new byte[X25519.KeyBytes];
    private readonly byte[] _remoteStatic = new byte[X25519.KeyBytes];
    private readonly byte[] _remoteEphemeral = new byte[X25519.KeyBytes];
    private byte[] _psk = [];
    private int _message;

    /// <param name="ephemeralPrivate">32 fresh random bytes, used for this handshake only.</param>
    /// <param name="staticPrivate">Empty where the pattern has no static key for this side.</param>
    /// <param name="remoteStatic">Empty unless the pattern has it as a pre-message.</param>
    public HandshakeState(
        NoisePattern pattern,
        CipherSuite suite,
        bool isInitiator,
        ReadOnlySpan<byte> prologue,
        ReadOnlySpan<byte> ephemeralPrivate,
        ReadOnlySpan<byte> staticPrivate,
        ReadOnlySpan<byte> staticPublic,
        ReadOnlySpan<byte> remoteStatic)
    {
        _pattern = pattern;
        _isInitiator = isInitiator;
        _staticPrivate = staticPrivate.ToArray();
        _staticPublic = staticPublic.ToArray();
        ephemeralPrivate.CopyTo(_ephemeralPrivate);
        remoteStatic.CopyTo(_remoteStatic);
        _symmetric = new SymmetricState(pattern.Name, suite);
        _symmetric.MixHash(prologue);
        if (pattern.ResponderKnowsInitiator)
        {
            _symmetric.MixHash(isInitiator ? staticPublic : remoteStatic);
        }

        if (pattern.InitiatorKnowsResponder)
        {
            _symmetric.MixHash(isInitiator ? remoteStatic : staticPublic);
        }
    }

    private HandshakeState(HandshakeState other)
    {
        _pattern = other._pattern;
        _isInitiator = other._isInitiator;
        _symmetric = other._symmetric.Copy();
        _staticPrivate = [.. other._staticPrivate];
        _staticPublic = [.. other._staticPublic];
        _psk = [.. other._psk];
        _message = other._message;
        other._ephemeralPrivate.CopyTo(_ephemeralPrivate, 0);
        other._ephemeralPublic.CopyTo(_ephemeralPublic, 0);
        other._remoteStatic.CopyTo(_remoteStatic, 0);
        other._remoteEphemeral.CopyTo(_remoteEphemeral, 0);
    }

    public bool IsComplete => _message == _pattern.Messages.Count;

    public ReadOnlySpan<byte> HandshakeHash => _symmetric.Hash;

    /// <summary>The remote static key, once it was read.</summary>
    public ReadOnlySpan<byte> RemoteStatic => _remoteStatic;

    /// <summary>For reading a message that may be forged: the original stays good when the copy fails.</summary>
    public HandshakeState Copy() => new(this);

    /// <summary>32 bytes; before the message with the psk token.</summary>
    public void SetPsk(ReadOnlySpan<byte> psk) => _psk = psk.ToArray();

    /// <summary>Writes the next message. False when the remote key has a low order. <paramref name="output"/> must have room for keys, payload and tags.</summary>
    public bool TryWrite(ReadOnlySpan<byte> payload, Span<byte> output, out int length)
    {
        length = 0;
        foreach (NoiseToken token in NextMessage())
        {
            if (token == NoiseToken.E)
            {
                X25519.PublicKeyOf(_ephemeralPrivate, _ephemeralPublic);
                _ephemeralPublic.CopyTo(output[length..]);
                length += X25519.KeyBytes;
                MixEphemeral(_ephemeralPublic);
            }
            else if (token == NoiseToken.S)
            {
                int size = X25519.KeyBytes + _symmetric.Overhead;
                _symmetric.EncryptAndHash(_staticPublic, output.Slice(length, size));
                length += size;
            }
            else if (!TryMix(token))
            {
                return false;
            }
        }

        int sealedBytes = payload.Length + _symmetric.Overhead;
        _symmetric.EncryptAndHash(payload, output.Slice(length, sealedBytes));
        length += sealedBytes;
        return true;
    }

    /// <summary>
    /// Reads the next message, whose payload must fill <paramref name="payload"/> exactly. False when its length is wrong or it is not authentic.
    /// </summary>
    public bool TryRead(ReadOnlySpan<byte> input, Span<byte> payload)
    {
        foreach (NoiseToken token in NextMessage())
        {
            if (token == NoiseToken.E)
            {
                if (!TryTake(ref input, X25519.KeyBytes, out ReadOnlySpan<byte> key))
                {
                    return false;
                }

                key.CopyTo(_remoteEphemeral);
                MixEphemeral(key);
            }
            else if (token == NoiseToken.S)
            {
                if (!TryTake(ref input, X25519.KeyBytes + _symmetric.Overhead, out ReadOnlySpan<byte> key) || !_symmetric.TryDecryptAndHash(key, _remoteStatic))
                {
                    return false;
                }
            }
            else if (!TryMix(token))
            {
                return false;
            }
        }

        return _symmetric.TryDecryptAndHash(input, payload);
    }

    /// <summary>After the last message: the two transport keys, the initiator's sending key first.</summary>
    public void Split(Span<byte> initiatorKey, Span<byte> responderKey)
    {
        Invariant.Check(IsComplete);
        _symmetric.Split(initiatorKey, responderKey);
    }

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_ephemeralPrivate);
        CryptographicOperations.ZeroMemory(_staticPrivate);
        CryptographicOperations.ZeroMemory(_psk);
        _symmetric.Dispose();
    }

    private NoiseToken[] NextMessage()
    {
        Invariant.Check(!IsComplete);
        return _pattern.Messages[_message++];
    }

    // Section 9.2: with a psk in the pattern, ephemeral keys go into the cipher key, too.
    private void MixEphemeral(ReadOnlySpan<byte> key)
    {
        _symmetric.MixHash(key);
        if (_pattern.UsesPsk)
        {
            _symmetric.MixKey(key);
        }
    }

    private bool TryMix(NoiseToken token) => token switch
    {
        NoiseToken.EE => TryMixShared(_ephemeralPrivate, _remoteEphemeral),
        NoiseToken.SS => TryMixShared(_staticPrivate, _remoteStatic),
        NoiseToken.ES => _isInitiator ? TryMixShared(_ephemeralPrivate, _remoteStatic) : TryMixShared(_staticPrivate, _remoteEphemeral),
        NoiseToken.SE => _isInitiator ? TryMixShared(_staticPrivate, _remoteEphemeral) : TryMixShared(_ephemeralPrivate, _remoteStatic),
        _ => MixPsk(),
    };

    private bool MixPsk()
    {
        Invariant.Check(_psk.Length == 32);
        _symmetric.MixKeyAndHash(_psk);
        return true;
    }

    private bool TryMixShared(ReadOnlySpan<byte> privateKey, ReadOnlySpan<byte> publicKey)
    {
        Span<byte> shared = stackalloc byte[X25519.KeyBytes];
        if (!X25519.TryAgree(privateKey, publicKey, shared))
        {
            return false;
        }

        _symmetric.MixKey(shared);
        CryptographicOperations.ZeroMemory(shared);
        return true;
    }

    private static bool TryTake(ref ReadOnlySpan<byte> input, int count, out ReadOnlySpan<byte> taken)
    {
        if (input.Length < count)
        {
            taken = default;
            return false;
        }

        taken = input[..count];
        input = input[count..];
        return true;
    }
}
