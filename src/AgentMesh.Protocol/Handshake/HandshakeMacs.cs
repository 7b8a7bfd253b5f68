using System.Security.Cryptography;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Protocol.Handshake;

/// <summary>
/// MACs keyed with the public key of the receiver: who does not know the key cannot make a message that costs the receiver more than one hash.
/// All are HMAC-SHA-256, the first 16 bytes.
/// </summary>
internal readonly struct HandshakeMacs
{
    public const int MacBytes = 16;

    private readonly byte[] _macKey;
    private readonly byte[] _cookieKey;

    public HandshakeMacs(DevicePublicKey receiver)
    {
        _macKey = KeyOf("agentmesh mac1 key"u8, receiver);
        _cookieKey = KeyOf("agentmesh cookie key"u8, receiver);
    }

    /// <summary>The key that a cookie reply of this receiver with this nonce is sealed with.</summary>
    public void CookieSealKey(ReadOnlySpan<byte> nonce, Span<byte> key) => HMACSHA256.HashData(_cookieKey, nonce, key);

    public void Write(ReadOnlySpan<byte> message, Span<byte> mac) => Write(_macKey, message, mac);

    public bool IsValid(ReadOnlySpan<byte> message, ReadOnlySpan<byte> mac) => IsValid(_macKey, message, mac);

    public static void Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message, Span<byte> mac)
    {
        Span<byte> full = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, message, full);
        full[..MacBytes].CopyTo(mac);
    }

    public static bool IsValid(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> mac)
    {
        Span<byte> expected = stackalloc byte[MacBytes];
        Write(key, message, expected);
        return CryptographicOperations.FixedTimeEquals(expected, mac);
    }

    private static byte[] KeyOf(ReadOnlySpan<byte> label, DevicePublicKey receiver)
    {
        Span<byte> input = stackalloc byte[32 + DevicePublicKey.Size];
        label.CopyTo(input);
        receiver.Span.CopyTo(input[label.Length..]);
        return SHA256.HashData(input[..(label.Length + DevicePublicKey.Size)]);
    }
}
