using System.Security.Cryptography;

namespace AgentMesh.Protocol.Identity;

/// <summary>
/// The name of a device on the wire, in actor addresses and in the registry: the first 160 bits of SHA-256 over the Ed25519 public key,
/// written as 32 lower-case RFC 4648 base32 characters. <c>default</c> is no device and is refused wherever a device is needed.
/// </summary>
public readonly record struct DeviceId : IComparable<DeviceId>
{
    public const int TextLength = 32;

    private const string Alphabet = "abcdefghijklmnopqrstuvwxyz234567";
    private const int HashBytes = 20;

    private readonly string? _text;

    private DeviceId(string text) => _text = text;

    public bool IsNone => _text is null;

    public static DeviceId Of(DevicePublicKey key)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(key.Span, hash);
        return new DeviceId(Encode(hash[..HashBytes]));
    }

    public static bool TryParse(ReadOnlySpan<char> text, out DeviceId id)
    {
        id = default;
        if (text.Length != TextLength)
        {
            return false;
        }

        foreach (char c in text)
        {
            if (!Alphabet.Contains(c, StringComparison.Ordinal))
            {
                return false;
            }
        }

        id = new DeviceId(text.ToString());
        return true;
    }

    public static DeviceId Parse(ReadOnlySpan<char> text) =>
        TryParse(text, out DeviceId id) ? id : throw new FormatException($"'{text}' is not a device id: {TextLength} characters of a-z and 2-7 are expected");

    /// <summary>The same in every process: what a run does must not hang on the seed of the runtime's string hash. An id is a hash itself.</summary>
    public override int GetHashCode()
    {
        uint hash = 2166136261;
        foreach (char c in _text ?? "")
        {
            hash = (hash ^ c) * 16777619;
        }

        return (int)hash;
    }

    public bool Equals(DeviceId other) => string.Equals(_text, other._text, StringComparison.Ordinal);

    public int CompareTo(DeviceId other) => string.CompareOrdinal(_text, other._text);

    public override string ToString() => _text ?? "(none)";

    private static string Encode(ReadOnlySpan<byte> hash)
    {
        Span<char> text = stackalloc char[TextLength];
        int bits = 0, buffer = 0, at = 0;
        foreach (byte b in hash)
        {
            buffer = (buffer << 8) | b;
            bits += 8;
            while (bits >= 5)
            {
                bits -= 5;
                text[at++] = Alphabet[(buffer >> bits) & 31];
            }

            buffer &= (1 << bits) - 1;
        }

        return new string(text);
    }
}
