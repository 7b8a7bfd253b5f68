using System.Security.Cryptography;
using AgentMesh.Fuzz.Engine;

namespace AgentMesh.Fuzz.Running;

/// <summary>Small files of inputs, one folder for each target: <c>.txt</c> holds the bytes, <c>.hex</c> their digits, broken over lines.</summary>
internal static class Corpus
{
    private const int HexLine = 120;

    public static IEnumerable<(string File, byte[] Bytes)> Of(string root, string target)
    {
        string folder = Path.Combine(root, target);
        return Directory.Exists(folder) ? Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).Select(file => (file, Read(file))) : [];
    }

    public static byte[] Read(string file) => Path.GetExtension(file) == ".hex" ? Convert.FromHexString(string.Concat(File.ReadAllText(file).Where(char.IsAsciiHexDigit))) : File.ReadAllBytes(file);

    /// <returns>The file: its name is that of its content, so the same input is written once.</returns>
    public static string Write(string folder, FuzzTarget target, byte[] input)
    {
        Directory.CreateDirectory(folder);
        // Text that a checkout or an editor would change is kept as digits.
        bool isPlain = target.IsText && input.All(each => each is >= 0x20 and < 0x7f or (byte)'\n') && input is [.., (byte)'\n'] && !input.AsSpan().ContainsTrailingBlank();
        string file = Path.Combine(folder, $"{Convert.ToHexStringLower(SHA256.HashData(input))[..16]}.{(isPlain ? "txt" : "hex")}");
        if (isPlain)
        {
            File.WriteAllBytes(file, input);
        }
        else
        {
            File.WriteAllLines(file, Convert.ToHexStringLower(input).Chunk(HexLine).Select(line => new string(line)));
        }

        return file;
    }

    private static bool ContainsTrailingBlank(this Span<byte> text) => text.IndexOf(" \n"u8) >= 0;
}
