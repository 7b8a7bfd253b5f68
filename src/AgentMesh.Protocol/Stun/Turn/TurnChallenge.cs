using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace AgentMesh.Protocol.Stun.Turn;

/// <summary>
/// What a server wants a request to be proven with (RFC 8489, section 9.2): its realm, a nonce, and from servers that know it the algorithm of the password. Immutable.
/// </summary>
internal sealed class TurnChallenge
{
    // RFC 8489, section 9.2: fewer than 128 characters, each of at most 6 bytes of UTF-8.
    private const int TextBytesMax = 763;
    private const int AlgorithmsBytesMax = 64;

    // Section 9.2: a nonce that begins so goes on with 24 bits in base64.
    private static ReadOnlySpan<byte> Cookie => "obMatJos2"u8;
    private const byte HasAlgorithms = 0x80;
    private const byte HidesUsers = 0x40;

    private readonly byte[] _realm;
    private readonly byte[] _nonce;
    private readonly byte[] _algorithms;
    private readonly StunPasswordAlgorithm? _algorithm;
    private readonly byte[] _user;
    private readonly StunAttribute _userAttribute;

    private TurnChallenge(StunCredentials credentials, byte[] realm, byte[] nonce, byte[] algorithms, StunPasswordAlgorithm? algorithm, bool hidesUser)
    {
        _realm = realm;
        _nonce = nonce;
        _algorithms = algorithms;
        _algorithm = algorithm;
        byte[] name = Encoding.UTF8.GetBytes(credentials.Username.Normalize());
        _user = hidesUser ? SHA256.HashData([.. name, (byte)':', .. realm]) : name;
        _userAttribute = hidesUser ? StunAttribute.UserHash : StunAttribute.Username;
        Key = StunKey.LongTerm(credentials, Encoding.UTF8.GetString(realm), algorithm);
    }

    public StunKey Key { get; }

    /// <summary>Bytes that <see cref="Write"/> adds at most.</summary>
    public int Bytes => 6 * 8 + _realm.Length + _nonce.Length + _algorithms.Length + _user.Length + Key.ProofBytes;

    /// <summary>Of a 401 or 438. False where realm or nonce is missing, or the nonce promises algorithms that are not there: somebody took them out.</summary>
    public static bool TryRead(in StunMessage message, StunCredentials credentials, [NotNullWhen(true)] out TurnChallenge? challenge)
    {
        challenge = null;
        if (!message.TryGet(StunAttribute.Realm, out ReadOnlySpan<byte> realm) || realm.IsEmpty || realm.Length > TextBytesMax
            || !message.TryGet(StunAttribute.Nonce, out ReadOnlySpan<byte> nonce) || nonce.IsEmpty || nonce.Length > TextBytesMax)
        {
            return false;
        }

        byte features = FeaturesOf(nonce);
        StunPasswordAlgorithm? algorithm = null;
        ReadOnlySpan<byte> offered = default;
        if ((features & HasAlgorithms) != 0)
        {
            if (!message.TryGet(StunAttribute.PasswordAlgorithms, out offered) || offered.Length > AlgorithmsBytesMax || (algorithm = Best(offered)) is null)
            {
                return false;
            }
        }

        challenge = new TurnChallenge(credentials, realm.ToArray(), nonce.ToArray(), offered.ToArray(), algorithm, (features & HidesUsers) != 0);
        return true;
    }

    public bool IsSame(TurnChallenge other) => _nonce.AsSpan().SequenceEqual(other._nonce) && _realm.AsSpan().SequenceEqual(other._realm);

    /// <summary>Adds user, realm, nonce and the proof; nothing but the fingerprint may follow.</summary>
    public void Write(ref StunWriter writer)
    {
        writer.Add(_userAttribute, _user);
        writer.Add(StunAttribute.Realm, _realm);
        writer.Add(StunAttribute.Nonce, _nonce);
        if (_algorithm is { } algorithm)
        {
            Span<byte> chosen = stackalloc byte[4];
            chosen.Clear();
            BinaryPrimitives.WriteUInt16BigEndian(chosen, (ushort)algorithm);
            writer.Add(StunAttribute.PasswordAlgorithms, _algorithms);
            writer.Add(StunAttribute.PasswordAlgorithm, chosen);
        }

        writer.AddIntegrity(Key);
    }

    private static byte FeaturesOf(ReadOnlySpan<byte> nonce)
    {
        Span<byte> features = stackalloc byte[3];
        return nonce.Length >= Cookie.Length + 4 && nonce.StartsWith(Cookie) && System.Buffers.Text.Base64.DecodeFromUtf8(nonce.Slice(Cookie.Length, 4), features, out _, out int written) == System.Buffers.OperationStatus.Done && written == 3
            ? features[0]
            : (byte)0;
    }

    private static StunPasswordAlgorithm? Best(ReadOnlySpan<byte> offered)
    {
        StunPasswordAlgorithm? best = null;
        while (offered.Length >= 4)
        {
            var algorithm = (StunPasswordAlgorithm)BinaryPrimitives.ReadUInt16BigEndian(offered);
            int next = 4 + StunMessage.Padded(BinaryPrimitives.ReadUInt16BigEndian(offered[2..]));
            if (algorithm == StunPasswordAlgorithm.Sha256 || (algorithm == StunPasswordAlgorithm.Md5 && best is null))
            {
                best = algorithm;
            }

            offered = offered[Math.Min(next, offered.Length)..];
        }

        return best;
    }
}
