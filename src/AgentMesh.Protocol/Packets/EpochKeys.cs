using System.Buffers.Binary;
using System.Security.Cryptography;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Packets;

/// <summary>The packet keys of one epoch, both directions.</summary>
internal sealed class EpochKeys : IDisposable
{
    private readonly Aead _seal;
    private readonly Aead _open;
    private readonly byte[] _sealIv = new byte[Aead.NonceBytes];
    private readonly byte[] _openIv = new byte[Aead.NonceBytes];

    public EpochKeys(uint epoch, KeyChain chain, CipherSuite suite, bool isInitiator, TimeSpan now)
    {
        Epoch = epoch;
        Chain = chain;
        InstalledAt = now;
        (_seal, _open) = isInitiator
            ? (Derive(chain, suite, "agentmesh key i2r"u8), Derive(chain, suite, "agentmesh key r2i"u8))
            : (Derive(chain, suite, "agentmesh key r2i"u8), Derive(chain, suite, "agentmesh key i2r"u8));
        chain.Expand(isInitiator ? "agentmesh iv i2r"u8 : "agentmesh iv r2i"u8, _sealIv);
        chain.Expand(isInitiator ? "agentmesh iv r2i"u8 : "agentmesh iv i2r"u8, _openIv);
    }

    public uint Epoch { get; }

    public KeyChain Chain { get; }

    public TimeSpan InstalledAt { get; }

    public ulong Sealed { get; private set; }

    public void Seal(PathId path, ulong packetNumber, ReadOnlySpan<byte> header, Span<byte> payload, Span<byte> tag)
    {
        Span<byte> nonce = stackalloc byte[Aead.NonceBytes];
        Nonce(_sealIv, path, packetNumber, nonce);
        _seal.Encrypt(nonce, payload, payload, tag, header);
        Sealed++;
    }

    public bool TryOpen(PathId path, ulong packetNumber, ReadOnlySpan<byte> header, Span<byte> payload, ReadOnlySpan<byte> tag)
    {
        Span<byte> nonce = stackalloc byte[Aead.NonceBytes];
        Nonce(_openIv, path, packetNumber, nonce);
        return _open.TryDecrypt(nonce, payload, tag, payload, header);
    }

    public void Dispose()
    {
        _seal.Dispose();
        _open.Dispose();
        Chain.Dispose();
    }

    /// <summary>The secret IV XOR (path, 4 bytes; packet number, 8 bytes): unique while a number is used once per path.</summary>
    private static void Nonce(ReadOnlySpan<byte> iv, PathId path, ulong packetNumber, Span<byte> nonce)
    {
        BinaryPrimitives.WriteUInt32BigEndian(nonce, BinaryPrimitives.ReadUInt32BigEndian(iv) ^ path.Value);
        BinaryPrimitives.WriteUInt64BigEndian(nonce[4..], BinaryPrimitives.ReadUInt64BigEndian(iv[4..]) ^ packetNumber);
    }

    private static Aead Derive(KeyChain chain, CipherSuite suite, ReadOnlySpan<byte> label)
    {
        Span<byte> key = stackalloc byte[Aead.KeyBytes];
        chain.Expand(label, key);
        Aead aead = Aead.Create(suite, key);
        CryptographicOperations.ZeroMemory(key);
        return aead;
    }
}
