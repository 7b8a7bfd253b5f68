using System.Buffers.Binary;
using System.Security.Cryptography;

namespace AgentMesh.Mesh;

/// <summary>
/// 128 bits written as 26 characters of Crockford's base 32 (lower case), 48 bits of milliseconds first: ids of a device sort by the time they were made.
/// Ids that are derived from a key have no time in them.
/// </summary>
public readonly record struct Ulid : IComparable<Ulid>
{
    public const int TextLength = 26;

    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
    private const int BitsPerChar = 5;

    private const int TimeBits = 48;

    private static readonly UInt128 PartMark = UInt128.MaxValue << (128 - TimeBits);

    private readonly UInt128 _value;

    internal Ulid(UInt128 value) => _value = value;

    /// <param name="randomness">At least 10 bytes that nobody can predict.</param>
    public static Ulid Create(DateTimeOffset now, ReadOnlySpan<byte> randomness)
    {
        ulong high = BinaryPrimitives.ReadUInt16BigEndian(randomness);
        ulong low = BinaryPrimitives.ReadUInt64BigEndian(randomness[2..]);
        ulong time = (ulong)now.ToUnixTimeMilliseconds() & 0xFFFF_FFFF_FFFF;
        return new Ulid(new UInt128((time << 16) | high, low));
    }

    /// <summary>The first 128 bits of a hash.</summary>
    public static Ulid FromHash(ReadOnlySpan<byte> hash) => new(BinaryPrimitives.ReadUInt128BigEndian(hash));

    /// <summary>For a part of something larger, from a hash: a time that never comes marks it, so that lists tell it by its id alone.</summary>
    public static Ulid OfPart(ReadOnlySpan<byte> hash) => new(PartMark | (BinaryPrimitives.ReadUInt128BigEndian(hash) >> TimeBits));

    /// <summary>Made by <see cref="OfPart"/>.</summary>
    public bool IsPart => (_value & PartMark) == PartMark;

    /// <summary>Takes upper case too. Crockford's look-alikes (i, l, o) are refused: an id is copied, not spelt.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Ulid ulid)
    {
        ulid = default;
        // 26 characters hold 130 bits: the first may carry only three.
        if (text.Length != TextLength || text[0] > '7')
        {
            return false;
        }

        UInt128 value = default;
        foreach (char c in text)
        {
            int digit = Alphabet.IndexOf(char.ToLowerInvariant(c), StringComparison.Ordinal);
            if (digit < 0)
            {
                return false;
            }

            value = (value << BitsPerChar) | (uint)digit;
        }

        ulid = new Ulid(value);
        return true;
    }

    public static bool IsDigit(char c) => Alphabet.Contains(char.ToLowerInvariant(c), StringComparison.Ordinal);

    public int CompareTo(Ulid other) => _value.CompareTo(other._value);

    public override string ToString() => string.Create(TextLength, _value, static (text, value) =>
    {
        for (int i = text.Length - 1; i >= 0; i--)
        {
            text[i] = Alphabet[(int)(value & 31)];
            value >>= BitsPerChar;
        }
    });
}

/// <summary>Makes ids for new jobs. Thread-safe as far as its <paramref name="fill"/> is.</summary>
/// <param name="fill">Fills a span with random bytes.</param>
public sealed class UlidSource(TimeProvider time, UlidSource.Fill fill)
{
    private const int RandomBytes = 10;

    public delegate void Fill(Span<byte> destination);

    public static UlidSource Secure(TimeProvider time) => new(time, RandomNumberGenerator.Fill);

    public Ulid Next()
    {
        Span<byte> random = stackalloc byte[RandomBytes];
        fill(random);
        return Ulid.Create(time.GetUtcNow(), random);
    }
}
