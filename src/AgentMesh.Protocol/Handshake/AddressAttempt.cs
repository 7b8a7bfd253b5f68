using System.Net;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Noise;
using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Pairing;

namespace AgentMesh.Protocol.Handshake;

/// <summary>
/// One initiation under way to one address. Each address has an initiation of its own: the responder answers an initiation to one address only,
/// and the first path that works in both directions wins.
/// </summary>
internal sealed class AddressAttempt : IDisposable
{
    private readonly byte[] _message = new byte[InitiationMessage.Size];
    private readonly HandshakeState _noise;
    private readonly byte[] _psk;
    private byte[]? _cookie;

    private AddressAttempt(IPEndPoint address, ConnectionId source, CipherSuite suite, HandshakeState noise, byte[] psk)
    {
        Address = address;
        Source = source;
        Suite = suite;
        _noise = noise;
        _psk = psk;
    }

    public IPEndPoint Address { get; }

    public ConnectionId Source { get; }

    public CipherSuite Suite { get; }

    private ReadOnlySpan<byte> Mac1 => _message.AsSpan(InitiationMessage.Mac1Offset, HandshakeMacs.MacBytes);

    /// <summary>Null when the remote key is of low order.</summary>
    public static AddressAttempt? Create(IPEndPoint address, Opening opening, ulong stamp)
    {
        ConnectionId source = opening.Local.NextConnectionId();
        Span<byte> ephemeral = stackalloc byte[X25519.KeyBytes];
        opening.Local.Entropy.Fill(ephemeral);
        byte[] psk = new byte[InvitationSecret.PresharedKeyBytes]; // zeros between devices that know each other
        if (!opening.Invitation.IsNone)
        {
            opening.Invitation.WritePresharedKey(psk);
        }

        byte[] message = new byte[InitiationMessage.Size];
        CipherSuite suite = opening.Local.Settings.Suite;
        InitiationMessage.WriteHeader(message, suite, source);
        DeviceIdentity me = opening.Local.Identity;
        var noise = new HandshakeState(
            NoisePattern.IKpsk2, suite, isInitiator: true, InitiationMessage.Prologue(message), ephemeral, me.AgreementPrivate, me.AgreementPublic, opening.RemoteAgreementKey);
        var attempt = new AddressAttempt(address, source, suite, noise, psk);

        InvitationId invitation = opening.Invitation.IsNone ? default : opening.Invitation.Id;
        Span<byte> payload = stackalloc byte[InitiationPayload.Size];
        new InitiationPayload(me.PublicKey, stamp, opening.Local.Instance, invitation, opening.Local.ParametersFor(source)).Write(payload);
        if (!noise.TryWrite(payload, message.AsSpan(InitiationMessage.HeaderBytes), out _))
        {
            attempt.Dispose();
            return null;
        }

        opening.RemoteMacs.Write(message.AsSpan(0, InitiationMessage.Mac1Offset), message.AsSpan(InitiationMessage.Mac1Offset));
        message.CopyTo(attempt._message, 0);
        return attempt;
    }

    public byte[] Datagram()
    {
        byte[] copy = [.. _message];
        if (_cookie is not null)
        {
            HandshakeMacs.Write(_cookie, copy.AsSpan(0, InitiationMessage.Mac2Offset), copy.AsSpan(InitiationMessage.Mac2Offset));
        }

        return copy;
    }

    /// <summary>True when the reply holds a cookie that was not known yet, so that sending again makes sense.</summary>
    public bool TryTakeCookie(ReadOnlySpan<byte> reply, HandshakeMacs remote)
    {
        Span<byte> cookie = stackalloc byte[CookieReplyMessage.CookieBytes];
        if (!CookieReplyMessage.TryOpen(reply, remote, Suite, Mac1, cookie) || cookie.SequenceEqual(_cookie))
        {
            return false;
        }

        _cookie = cookie.ToArray();
        return true;
    }

    /// <summary>The finished handshake, or null when the response is not authentic; the attempt goes on then.</summary>
    public HandshakeState? TryFinish(ReadOnlySpan<byte> response, out ResponsePayload payload)
    {
        Span<byte> plain = stackalloc byte[ResponsePayload.Size];
        HandshakeState noise = _noise.Copy();
        noise.SetPsk(_psk);
        if (!noise.TryRead(ResponseMessage.Noise(response), plain))
        {
            noise.Dispose();
            payload = default;
            return null;
        }

        payload = ResponsePayload.Read(plain);
        return noise;
    }

    public void Dispose()
    {
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(_psk);
        _noise.Dispose();
    }
}
