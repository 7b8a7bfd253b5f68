using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;
using AgentMesh.Protocol.Relaying;

namespace AgentMesh.Protocol.Discovery.Dht;

/// <summary>
/// Where one device says to one other where it is (dht-v1.md): key, place and cipher follow from what only these two can compute, for each direction and day. To everybody else it is an item of
/// nobody in particular.
/// </summary>
internal sealed class DhtRecord
{
    public const int AddressesMax = 16;

    private const int PlainBytes = 1 + 1 + (AddressesMax * WireAddress.Size);
    private const byte Version = 1;

    private readonly byte[] _seed = new byte[Ed25519.SeedBytes];
    private readonly byte[] _cipher = new byte[Aead.KeyBytes];
    private readonly byte[] _key = new byte[Ed25519.PublicKeyBytes];

    private DhtRecord(byte[] shared, DevicePublicKey from, DevicePublicKey to, long day)
    {
        byte[] number = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(number, day);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, shared, _seed, default, [.. "agentmesh dht seed 1"u8, .. from.Span, .. to.Span, .. number]);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, shared, _cipher, default, [.. "agentmesh dht cipher 1"u8, .. from.Span, .. to.Span, .. number]);
        Ed25519.KeyPairOf(_seed, _key, new byte[Ed25519.SecretKeyBytes]);
    }

    public DhtId Target => DhtItem.TargetOf(_key);

    /// <summary>Days since 1970, UTC.</summary>
    public static long DayOf(DateTimeOffset wall) => wall.ToUnixTimeSeconds() / 86_400;

    /// <summary>What <paramref name="own"/> says to <paramref name="other"/>, or hears from it. Null for a key that is none.</summary>
    public static DhtRecord? TryCreate(DeviceIdentity own, DevicePublicKey other, bool isOwn, long day)
    {
        byte[] shared = new byte[X25519.KeyBytes];
        return Opening.AgreementKeyOf(other) is { } agreement && X25519.TryAgree(own.AgreementPrivate, agreement, shared)
            ? new DhtRecord(shared, isOwn ? own.PublicKey : other, isOwn ? other : own.PublicKey, day)
            : null;
    }

    /// <param name="sequence">Greater than in every earlier item of this record: it is the nonce too. Milliseconds since 1970.</param>
    public DhtItem Seal(IReadOnlyList<IPEndPoint> addresses, long sequence)
    {
        Span<byte> plain = stackalloc byte[PlainBytes];
        plain.Clear();
        plain[0] = Version;
        plain[1] = (byte)Math.Min(addresses.Count, AddressesMax);
        for (int i = 0; i < plain[1]; i++)
        {
            WireAddress.Write(plain[(2 + (i * WireAddress.Size))..], addresses[i]);
        }

        byte[] value = new byte[PlainBytes + Aead.TagBytes];
        using Aead cipher = Aead.Create(CipherSuite.ChaCha20Poly1305, _cipher);
        cipher.Encrypt(NonceOf(sequence), plain, value.AsSpan(0, PlainBytes), value.AsSpan(PlainBytes), _key);
        return DhtItem.Sign(_seed, sequence, value);
    }

    /// <summary>Null when it is not of the other device, whoever says so.</summary>
    public IReadOnlyList<IPEndPoint>? TryOpen(DhtItem item)
    {
        Span<byte> plain = stackalloc byte[PlainBytes];
        if (!item.Key.AsSpan().SequenceEqual(_key) || item.Value.Length != PlainBytes + Aead.TagBytes)
        {
            return null;
        }

        using Aead cipher = Aead.Create(CipherSuite.ChaCha20Poly1305, _cipher);
        if (!cipher.TryDecrypt(NonceOf(item.Sequence), item.Value.AsSpan(0, PlainBytes), item.Value.AsSpan(PlainBytes), plain, _key) || plain[0] != Version || plain[1] > AddressesMax)
        {
            return null;
        }

        var addresses = new List<IPEndPoint>();
        for (int i = 0; i < plain[1]; i++)
        {
            if (WireAddress.TryRead(plain[(2 + (i * WireAddress.Size))..]) is { } address)
            {
                addresses.Add(address);
            }
        }

        return addresses;
    }

    private static byte[] NonceOf(long sequence)
    {
        byte[] nonce = new byte[Aead.NonceBytes];
        BinaryPrimitives.WriteInt64BigEndian(nonce.AsSpan(4), sequence);
        return nonce;
    }
}
