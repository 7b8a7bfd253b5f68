using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace AgentMesh.Protocol.Stun;

/// <summary>
/// The key of a long-term credential (RFC 8489, sections 9.2.2 and 14.5 to 14.6), which proves requests to a server and its answers to this device. MD5 and SHA-1 are what
/// servers know; neither is trusted with anything else. Immutable.
/// </summary>
public sealed class StunKey
{
    private readonly byte[] _key;
    private readonly bool _isSha256;

    private StunKey(byte[] key, bool isSha256)
    {
        _key = key;
        _isSha256 = isSha256;
    }

    internal StunAttribute Attribute => _isSha256 ? StunAttribute.MessageIntegritySha256 : StunAttribute.MessageIntegrity;

    internal int ProofBytes => _isSha256 ? SHA256.HashSizeInBytes : SHA1.HashSizeInBytes;

    /// <param name="algorithm">That of the password; null where the server named none, which also means MESSAGE-INTEGRITY with SHA-1.</param>
    public static StunKey LongTerm(StunCredentials credentials, string realm, StunPasswordAlgorithm? algorithm)
    {
        byte[] text = Encoding.UTF8.GetBytes($"{credentials.Username.Normalize()}:{realm}:{credentials.Password.Normalize()}");

        // RFC 8489, section 9.2.2, says MD5 for servers that know no other; what passes a relay is encrypted anyway.
#pragma warning disable CA5351
        byte[] key = algorithm == StunPasswordAlgorithm.Sha256 ? SHA256.HashData(text) : MD5.HashData(text);
#pragma warning restore CA5351
        CryptographicOperations.ZeroMemory(text);
        return new StunKey(key, algorithm is not null);
    }

    /// <summary>False where there is no proof of this key in the message, or a wrong one.</summary>
    /// <param name="proven">The attributes that are proven.</param>
    public bool TryVerify(in StunMessage message, out StunMessage proven)
    {
        proven = default;
        if (!message.TryGet(Attribute, out ReadOnlySpan<byte> proof, out int start) || proof.Length != ProofBytes)
        {
            return false;
        }

        // The length field counts up to the proof, whatever follows.
        byte[] covered = message.Bytes[..start].ToArray();
        BinaryPrimitives.WriteUInt16BigEndian(covered.AsSpan(2), (ushort)(start + 4 + proof.Length - StunMessage.HeaderBytes));
        Span<byte> right = stackalloc byte[ProofBytes];
        Prove(covered, right);
        if (!CryptographicOperations.FixedTimeEquals(right, proof))
        {
            return false;
        }

        proven = message.Before(start);
        return true;
    }

    /// <param name="before">The message up to the attribute; its length field counts the attribute already.</param>
    internal void Prove(ReadOnlySpan<byte> before, Span<byte> proof)
    {
        if (_isSha256)
        {
            HMACSHA256.HashData(_key, before, proof);
        }
        else
        {
            // Section 14.5.
#pragma warning disable CA5350
            HMACSHA1.HashData(_key, before, proof);
#pragma warning restore CA5350
        }
    }
}

/// <summary>Who this device is to a server. Never shown.</summary>
public sealed record StunCredentials(string Username, string Password)
{
    /// <summary>UTF-8 bytes of a user name, RFC 8489, section 14.3: fewer than 509.</summary>
    public const int UsernameBytesMax = 508;

    public override string ToString() => Username;
}

/// <summary>RFC 8489, section 18.5.</summary>
public enum StunPasswordAlgorithm : ushort
{
    Md5 = 1,
    Sha256 = 2,
}
