using System.Collections;
using System.Text;
using QRCoder;

namespace AgentMesh.Cli.Output;

/// <summary>A QR code out of half blocks, two modules above each other in a character, with the light border of four modules that readers need.</summary>
internal static class QrText
{
    // White on black, whatever the colours of the terminal are; else light modules are drawn, as on a dark terminal.
    private const string Colours = "\u001b[97;40m";
    private const string Plain = "\u001b[0m";

    /// <param name="ansi">The terminal understands colours.</param>
    public static string Of(string text, bool ansi)
    {
        using var generator = new QRCodeGenerator();

        // The lowest level of correction: a screen has no scratches, and the code stays small.
        using QRCodeData data = generator.CreateQrCode(text, QRCodeGenerator.ECCLevel.L);
        return Draw(data.ModuleMatrix, ansi);
    }

    /// <param name="rows">True is dark.</param>
    internal static string Draw(IReadOnlyList<BitArray> rows, bool ansi)
    {
        var drawn = new StringBuilder();
        for (int y = 0; y < rows.Count; y += 2)
        {
            drawn.Append(ansi ? Colours : "");
            for (int x = 0; x < rows[y].Length; x++)
            {
                bool upper = !rows[y][x], lower = y + 1 >= rows.Count || !rows[y + 1][x];
                drawn.Append((upper, lower) switch
                {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    _ => ' ',
                });
            }

            drawn.Append(ansi ? Plain : "").Append(y + 2 < rows.Count ? "\n" : "");
        }

        return drawn.ToString();
    }
}
