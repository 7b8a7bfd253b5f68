using System.Diagnostics.CodeAnalysis;

namespace AgentMesh.Mesh.Artifacts;

/// <summary>The SHA-256 of a content: its name wherever it is. Written <c>sha256:</c> and 64 hexadecimal digits. <c>default</c> is none.</summary>
public readonly record struct ContentHash
{
    public const string Prefix = "sha256:";
    public const int Bytes = 32;

    private const int Digits = 2 * Bytes;

    private readonly string? _hex;

    private ContentHash(string hex) => _hex = hex;

    public bool IsNone => _hex is null;

    /// <summary>64 digits in lower case.</summary>
    public string Hex => _hex ?? "";

    /// <param name="hash">32 bytes.</param>
    public static ContentHash Of(ReadOnlySpan<byte> hash) => hash.Length == Bytes ? new ContentHash(Convert.ToHexStringLower(hash)) : default;

    /// <summary>With or without the prefix.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out ContentHash hash)
    {
        hash = default;
        ReadOnlySpan<char> digits = text is not null && text.StartsWith(Prefix, StringComparison.Ordinal) ? text.AsSpan(Prefix.Length) : text;
        if (digits.Length != Digits || !digits.ContainsOnlyHex())
        {
            return false;
        }

        hash = new ContentHash(digits.ToString().ToLowerInvariant());
        return true;
    }

    public byte[] ToBytes() => Convert.FromHexString(Hex);

    public override string ToString() => Prefix + Hex;
}

internal static class HexDigits
{
    public static bool ContainsOnlyHex(this ReadOnlySpan<char> text)
    {
        foreach (char c in text)
        {
            if (!char.IsAsciiHexDigit(c))
            {
                return false;
            }
        }

        return true;
    }
}
