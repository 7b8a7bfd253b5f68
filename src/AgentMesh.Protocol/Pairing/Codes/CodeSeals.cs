using System.Security.Cryptography;
using System.Text;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Protocol.Pairing.Codes;

/// <summary>
/// Makes and opens proofs and welcomes, and the secret that both sides have afterwards. The tag is checked first: Poly1305 alone could be made to fit many keys at once, and so
/// test many guesses with one message; HMAC cannot.
/// </summary>
internal sealed class CodeSeals
{
    public const int NameBytesMax = 64;
    public const int ProofSize = CodeHead.Size + DevicePublicKey.Size + Aead.TagBytes + TagBytes;
    public const int WelcomeSize = CodeHead.Size + WelcomePlainBytes + Aead.TagBytes + TagBytes;

    private const int TagBytes = HMACSHA256.HashSizeInBytes;
    private const int WelcomePlainBytes = DevicePublicKey.Size + 1 + NameBytesMax;

    private readonly byte[] _key;
    private readonly byte[] _joinerSeal;
    private readonly byte[] _joinerTag;
    private readonly byte[] _inviterSeal;
    private readonly byte[] _inviterTag;

    /// <param name="key">The ISK of CPace.</param>
    public CodeSeals(ReadOnlySpan<byte> key)
    {
        _key = key.ToArray();
        _joinerSeal = Derive("agentmesh pairing joiner seal"u8);
        _joinerTag = Derive("agentmesh pairing joiner tag"u8);
        _inviterSeal = Derive("agentmesh pairing inviter seal"u8);
        _inviterTag = Derive("agentmesh pairing inviter tag"u8);
    }

    private static ReadOnlySpan<byte> Nonce => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    public byte[] Proof(UInt128 nonce, UInt128 cookie, DevicePublicKey joiner)
    {
        byte[] proof = new CodeHead(CodeMessageType.Proof, 0, nonce, cookie).ToBytes();
        Seal(_joinerSeal, proof, joiner.Span);
        Tag(_joinerTag, proof, default).CopyTo(proof.AsSpan(proof.Length - TagBytes));
        return proof;
    }

    /// <summary>False when the other side has another key, which means another code.</summary>
    public bool TryOpenProof(ReadOnlySpan<byte> proof, out DevicePublicKey joiner)
    {
        joiner = default;
        Span<byte> plain = stackalloc byte[DevicePublicKey.Size];
        if (!HasTag(_joinerTag, proof, default) || !TryUnseal(_joinerSeal, proof, plain))
        {
            return false;
        }

        joiner = new DevicePublicKey(plain);
        return true;
    }

    /// <param name="name">Cut where it has more than <see cref="NameBytesMax"/> bytes.</param>
    public byte[] Welcome(UInt128 nonce, UInt128 cookie, DevicePublicKey inviter, string name, DevicePublicKey joiner)
    {
        byte[] welcome = new CodeHead(CodeMessageType.Welcome, 0, nonce, cookie).ToBytes();
        Span<byte> plain = stackalloc byte[WelcomePlainBytes];
        plain.Clear();
        inviter.Span.CopyTo(plain);
        Encoding.UTF8.GetEncoder().Convert(name, plain[(DevicePublicKey.Size + 1)..], flush: true, out _, out int length, out _);
        plain[DevicePublicKey.Size] = (byte)length;
        Seal(_inviterSeal, welcome, plain);
        Tag(_inviterTag, welcome, joiner).CopyTo(welcome.AsSpan(welcome.Length - TagBytes));
        return welcome;
    }

    public bool TryOpenWelcome(ReadOnlySpan<byte> welcome, DevicePublicKey joiner, out DevicePublicKey inviter, out string name)
    {
        inviter = default;
        name = "";
        Span<byte> plain = stackalloc byte[WelcomePlainBytes];
        if (!HasTag(_inviterTag, welcome, joiner) || !TryUnseal(_inviterSeal, welcome, plain) || plain[DevicePublicKey.Size] > NameBytesMax)
        {
            return false;
        }

        inviter = new DevicePublicKey(plain[..DevicePublicKey.Size]);
        name = Encoding.UTF8.GetString(plain.Slice(DevicePublicKey.Size + 1, plain[DevicePublicKey.Size]));
        return true;
    }

    /// <summary>Of the invitation that both sides go on with: bound to the key of either.</summary>
    public InvitationSecret Secret(DevicePublicKey joiner, DevicePublicKey inviter)
    {
        Span<byte> secret = stackalloc byte[InvitationSecret.Size];
        HKDF.Expand(HashAlgorithmName.SHA512, _key, secret, [.. "agentmesh pairing secret"u8, .. joiner.Span, .. inviter.Span]);
        return new InvitationSecret(secret);
    }

    private static void Seal(byte[] key, Span<byte> message, ReadOnlySpan<byte> plain)
    {
        using Aead cipher = Aead.Create(CipherSuite.ChaCha20Poly1305, key);
        cipher.Encrypt(Nonce, plain, message.Slice(CodeHead.Size, plain.Length), message.Slice(CodeHead.Size + plain.Length, Aead.TagBytes), message[..CodeHead.Size]);
    }

    private static bool TryUnseal(byte[] key, ReadOnlySpan<byte> message, Span<byte> plain)
    {
        using Aead cipher = Aead.Create(CipherSuite.ChaCha20Poly1305, key);
        return cipher.TryDecrypt(Nonce, message.Slice(CodeHead.Size, plain.Length), message.Slice(CodeHead.Size + plain.Length, Aead.TagBytes), plain, message[..CodeHead.Size]);
    }

    private static byte[] Tag(byte[] key, ReadOnlySpan<byte> message, DevicePublicKey bound) =>
        HMACSHA256.HashData(key, (byte[])[.. message[..^TagBytes], .. bound.Span]);

    private static bool HasTag(byte[] key, ReadOnlySpan<byte> message, DevicePublicKey bound) =>
        CryptographicOperations.FixedTimeEquals(Tag(key, message, bound), message[^TagBytes..]);

    private byte[] Derive(ReadOnlySpan<byte> label)
    {
        byte[] derived = new byte[Aead.KeyBytes];
        HKDF.Expand(HashAlgorithmName.SHA512, _key, derived, label);
        return derived;
    }
}
