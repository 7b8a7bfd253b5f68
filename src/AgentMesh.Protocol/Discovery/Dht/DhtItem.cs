using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Discovery.Dht;

/// <summary>A mutable item of BEP 44, without salt: what the holder of a key says, found under the hash of the key.</summary>
internal sealed record DhtItem(byte[] Key, long Sequence, byte[] Value, byte[] Signature)
{
    /// <summary>BEP 44: less than a thousand bytes of bencode.</summary>
    public const int ValueBytesMax = 990;

    public DhtId Target => TargetOf(Key);

    // Nodes check signatures as well; what comes here has passed others, so it is checked again.
    public bool IsRight => Sequence >= 0 && Ed25519.Verify(Signed(Sequence, Value), Signature, Key);

    public static DhtItem Sign(ReadOnlySpan<byte> seed, long sequence, byte[] value)
    {
        byte[] key = new byte[Ed25519.PublicKeyBytes], secret = new byte[Ed25519.SecretKeyBytes], signature = new byte[Ed25519.SignatureBytes];
        Ed25519.KeyPairOf(seed, key, secret);
        Ed25519.Sign(Signed(sequence, value), secret, signature);
        CryptographicOperations.ZeroMemory(secret);
        return new DhtItem(key, sequence, value, signature);
    }

    // The place of an item is SHA-1 of its key because BEP 44 says so; nothing is secured by it.
#pragma warning disable CA5350
    public static DhtId TargetOf(ReadOnlySpan<byte> key) => new(SHA1.HashData(key));
#pragma warning restore CA5350

    /// <summary>Null where there is none, or one that is not right.</summary>
    public static DhtItem? TryRead(SortedDictionary<string, object> body) =>
        body.GetValueOrDefault("k") is byte[] { Length: Ed25519.PublicKeyBytes } key
        && body.GetValueOrDefault("seq") is long sequence
        && body.GetValueOrDefault("sig") is byte[] { Length: Ed25519.SignatureBytes } signature
        && body.GetValueOrDefault("v") is byte[] { Length: <= ValueBytesMax } value
        && new DhtItem(key, sequence, value, signature) is { IsRight: true } item
            ? item
            : null;

    private static byte[] Signed(long sequence, byte[] value) => [.. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"3:seqi{sequence}e1:v")), .. Bencode.Write(value)];
}
