using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using AgentMesh.Protocol.Crypto;

namespace AgentMesh.Protocol.Pairing.Codes;

/// <summary>
/// What one person reads to another so that their devices pair: two words and four digits, <c>AMBER-WALNUT-4821</c>. The first word is public and says which invitation is
/// meant, the rest is secret: 23.3 bits. <c>default</c> is no code.
/// </summary>
public readonly record struct PairingCode
{
    private const int NumbersOfDigits = 10_000;
    private const int DigitsLength = 4;

    /// <summary>Longer input is no code; it is not looked at.</summary>
    private const int TextMax = 64;

    private static readonly char[] Separators = ['-', ' ', '.', '_', '\u2010', '\u2011', '\u2012', '\u2013', '\t', '\n', '\r'];

    private readonly int _word;
    private readonly int _digits;
    private readonly bool _isSet;

    internal PairingCode(int nameplate, int word, int digits)
    {
        Nameplate = (ushort)nameplate;
        _word = word;
        _digits = digits;
        _isSet = true;
    }

    public bool IsNone => !_isSet;

    /// <summary>Number of the first word.</summary>
    internal ushort Nameplate { get; }

    /// <summary>The password of CPace.</summary>
    internal byte[] Password => Encoding.UTF8.GetBytes(Canonical);

    private string Canonical => string.Create(CultureInfo.InvariantCulture, $"{CodeWords.At(Nameplate)}-{CodeWords.At(_word)}-{_digits:d4}");

    internal static PairingCode Next(IEntropy entropy)
    {
        Span<byte> bytes = stackalloc byte[12];
        entropy.Fill(bytes);
        uint digits = BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]) % NumbersOfDigits; // bias below 2^-18
        return new PairingCode(BinaryPrimitives.ReadUInt16BigEndian(bytes) % CodeWords.Count, BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]) % CodeWords.Count, (int)digits);
    }

    /// <summary>Reads what a person typed.</summary>
    /// <param name="problem">Which part is wrong and why; empty when it is a code.</param>
    public static bool TryParse(string text, out PairingCode code, out string problem)
    {
        code = default;
        string[] parts = text.Length > TextMax ? [] : text.Split(Separators, StringSplitOptions.RemoveEmptyEntries);
        problem = parts.Length switch
        {
            0 when text.Length > TextMax => $"it has {text.Length} characters",
            0 => "it is empty",
            not 3 => $"it has {parts.Length} {(parts.Length == 1 ? "part" : "parts")}, not three",
            _ => "",
        };
        if (problem.Length > 0 || !TryWord(parts[0], "first", out int nameplate, out problem) || !TryWord(parts[1], "second", out int word, out problem))
        {
            return false;
        }

        if (parts[2].Length != DigitsLength || !parts[2].All(char.IsAsciiDigit))
        {
            problem = $"the third part, '{Shown(parts[2])}', is not four digits";
            return false;
        }

        code = new PairingCode(nameplate, word, int.Parse(parts[2], CultureInfo.InvariantCulture));
        return true;
    }

    public override string ToString() => IsNone ? "(none)" : Canonical.ToUpperInvariant();

    private static bool TryWord(string text, string which, out int number, out string problem)
    {
        bool found = CodeWords.TryFind(text, out number);
        problem = found ? "" : $"the {which} part, '{Shown(text)}', is none of the words that codes are made of";
        return found;
    }

    // It is shown in terminals: control characters would be commands to them.
    private static string Shown(string text) => new([.. text.Select(c => char.IsControl(c) ? '?' : c)]);
}
