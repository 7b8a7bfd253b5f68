using System.Security.Cryptography;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Identity;

/// <summary>The key pair of a device. Immutable and thread-safe; the secret never leaves this assembly except into the identity file.</summary>
public sealed class DeviceIdentity
{
    public const int SignatureBytes = Ed25519.SignatureBytes;

    private readonly byte[] _seed;
    private readonly byte[] _secretKey = new byte[Ed25519.SecretKeyBytes];
    private readonly byte[] _agreementPrivate = new byte[X25519.KeyBytes];
    private readonly byte[] _agreementPublic = new byte[X25519.KeyBytes];

    private DeviceIdentity(ReadOnlySpan<byte> seed, DeviceId id = default)
    {
        _seed = seed.ToArray();
        Span<byte> publicKey = stackalloc byte[Ed25519.PublicKeyBytes];
        Ed25519.KeyPairOf(seed, publicKey, _secretKey);
        Ed25519.ConvertSecretKey(_secretKey, _agreementPrivate);
        X25519.PublicKeyOf(_agreementPrivate, _agreementPublic);
        PublicKey = new DevicePublicKey(publicKey);
        Id = id.IsNone ? PublicKey.Id : id;
    }

    public DevicePublicKey PublicKey { get; }

    /// <summary>The id of the first key of this device, whatever its key is now.</summary>
    public DeviceId Id { get; }

    internal ReadOnlySpan<byte> Seed => _seed;

    /// <summary>The X25519 key pair that belongs to the Ed25519 one, for handshakes.</summary>
    internal ReadOnlySpan<byte> AgreementPrivate => _agreementPrivate;

    internal ReadOnlySpan<byte> AgreementPublic => _agreementPublic;

    /// <summary>A new identity, in memory only. Devices keep theirs in an <see cref="IdentityFile"/>.</summary>
    public static DeviceIdentity Create(IEntropy entropy)
    {
        Span<byte> seed = stackalloc byte[Ed25519.SeedBytes];
        entropy.Fill(seed);
        DeviceIdentity identity = FromSeed(seed);
        CryptographicOperations.ZeroMemory(seed);
        return identity;
    }

    /// <summary>RFC 8032 Ed25519, 64 bytes.</summary>
    public byte[] Sign(ReadOnlySpan<byte> message)
    {
        byte[] signature = new byte[SignatureBytes];
        Ed25519.Sign(message, _secretKey, signature);
        return signature;
    }

    /// <summary>False for a damaged signature, one of the wrong length, or one by another key.</summary>
    public static bool Verify(DevicePublicKey signer, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) =>
        !signer.IsNone && Ed25519.Verify(message, signature, signer.Span);

    /// <summary>A new key for the device of this one.</summary>
    public DeviceIdentity CreateSuccessor(IEntropy entropy)
    {
        Span<byte> seed = stackalloc byte[Ed25519.SeedBytes];
        entropy.Fill(seed);
        var next = new DeviceIdentity(seed, Id);
        CryptographicOperations.ZeroMemory(seed);
        return next;
    }

    internal static DeviceIdentity FromSeed(ReadOnlySpan<byte> seed, DeviceId id = default) => new(seed, id);
}
