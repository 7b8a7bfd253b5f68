using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Handshake;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Protocol.Discovery.Dht;

/// <summary>
/// Where one device says to one other where it is (dht-v1.md): key, place and cipher follow from what only these two can compute, for each direction and day. To everybody else it is an item of
/// nobody in particular.
/// </summary>
internal sealed class DhtRecord
{
    public const int AddressesMax = 16;

    private const int AddressBytes = 19;
    private const int PlainBytes = 1 + 1 + (AddressesMax * AddressBytes);
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
            WriteAddress(addresses[i], plain.Slice(2 + (i * AddressBytes), AddressBytes));
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
            if (TryReadAddress(plain.Slice(2 + (i * AddressBytes), AddressBytes)) is { } address)
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

    // As in beacon-v1: family, 16 bytes with IPv4 as ::ffff:a.b.c.d, port.
    private static void WriteAddress(IPEndPoint address, Span<byte> bytes)
    {
        bool isV4 = address.AddressFamily == AddressFamily.InterNetwork;
        bytes[0] = isV4 ? (byte)4 : (byte)6;
        (isV4 ? address.Address.MapToIPv6() : address.Address).TryWriteBytes(bytes[1..], out _);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[17..], (ushort)address.Port);
    }

    private static IPEndPoint? TryReadAddress(ReadOnlySpan<byte> bytes)
    {
        var address = new IPAddress(bytes.Slice(1, 16));
        int port = BinaryPrimitives.ReadUInt16BigEndian(bytes[17..]);
        return (bytes[0], address.IsIPv4MappedToIPv6) switch
        {
            _ when port == 0 => null,
            (4, true) => new IPEndPoint(address.MapToIPv4(), port),
            (6, false) => new IPEndPoint(address, port),
            _ => null,
        };
    }
}
