using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Packets;

namespace AgentMesh.Protocol.Handshake;

/// <summary>
/// What a responder under load says instead of working: prove your address by repeating the initiation with this cookie. 60 bytes.
/// <code>
///  0  type 0x83 | version 1 | 0 | 0
///  4  connection id of the initiator, 8
/// 12  nonce, 16
/// 28  cookie, sealed with the suite of the initiation, its mac1 associated, 32
/// </code>
/// </summary>
internal static class CookieReplyMessage
{
    public const int NonceOffset = 4 + ConnectionId.Size;
    public const int NonceBytes = 16;
    public const int SealedOffset = NonceOffset + NonceBytes;
    public const int CookieBytes = HandshakeMacs.MacBytes;
    public const int Size = SealedOffset + CookieBytes + Aead.TagBytes;

    /// <param name="macs">Of the responder.</param>
    public static byte[] Write(
        HandshakeMacs macs, CipherSuite suite, ConnectionId destination, ReadOnlySpan<byte> mac1, ReadOnlySpan<byte> cookie, IEntropy entropy)
    {
        byte[] message = new byte[Size];
        message[0] = (byte)DatagramKind.CookieReply;
        message[1] = InitiationMessage.Version;
        destination.Write(message.AsSpan(4));
        Span<byte> nonce = message.AsSpan(NonceOffset, NonceBytes);
        entropy.Fill(nonce);
        using Aead aead = Key(macs, suite, nonce);
        aead.Encrypt(ZeroNonce, cookie, message.AsSpan(SealedOffset, CookieBytes), message.AsSpan(SealedOffset + CookieBytes), mac1);
        return message;
    }

    public static bool TryReadHeader(ReadOnlySpan<byte> message, out ConnectionId destination)
    {
        destination = default;
        if (message.Length != Size || message[0] != (byte)DatagramKind.CookieReply || message[1] != InitiationMessage.Version || message[2] != 0 || message[3] != 0)
        {
            return false;
        }

        destination = ConnectionId.Read(message[4..]);
        return true;
    }

    /// <summary>False when it answers another initiation than the one with this <paramref name="mac1"/>.</summary>
    public static bool TryOpen(ReadOnlySpan<byte> message, HandshakeMacs macs, CipherSuite suite, ReadOnlySpan<byte> mac1, Span<byte> cookie)
    {
        using Aead aead = Key(macs, suite, message.Slice(NonceOffset, NonceBytes));
        return aead.TryDecrypt(ZeroNonce, message.Slice(SealedOffset, CookieBytes), message[(SealedOffset + CookieBytes)..], cookie[..CookieBytes], mac1);
    }

    // Every reply has a key of its own, made from its random nonce.
    private static ReadOnlySpan<byte> ZeroNonce => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    private static Aead Key(HandshakeMacs macs, CipherSuite suite, ReadOnlySpan<byte> nonce)
    {
        Span<byte> key = stackalloc byte[Aead.KeyBytes];
        macs.CookieSealKey(nonce, key);
        return Aead.Create(suite, key);
    }
}
