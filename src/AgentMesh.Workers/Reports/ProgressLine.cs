using System.Globalization;
using System.Text;
using AgentMesh.Mesh.Jobs;

namespace AgentMesh.Workers.Reports;

/// <summary>
/// One report of a program: how far it is, then what it does. <c>42% epoch 3</c>, <c>3/7 epoch 3</c>, <c>0.42 epoch 3</c>, or words alone.
/// </summary>
internal static class ProgressLine
{
    /// <summary>A longer line is cut: what it says fits into far less.</summary>
    public const int BytesMax = 1024;

    /// <summary>Stands before a report in the output of a program.</summary>
    public static ReadOnlySpan<byte> Mark => "::progress "u8;

    public static Progress Read(ReadOnlySpan<byte> line)
    {
        string text = Encoding.UTF8.GetString(line.Length > BytesMax ? line[..BytesMax] : line).Trim();
        int space = text.IndexOf(' ', StringComparison.Ordinal);
        double? fraction = FractionOf(space < 0 ? text : text[..space]);
        return Progress.Bounded(fraction, fraction is null ? text : space < 0 ? "" : text[space..]);
    }

    private static double? FractionOf(string word)
    {
        if (word.EndsWith('%'))
        {
            return NumberOf(word[..^1]) / 100;
        }

        int slash = word.IndexOf('/', StringComparison.Ordinal);
        double? whole = slash < 0 ? 1 : NumberOf(word[(slash + 1)..]);
        return whole is > 0 && NumberOf(slash < 0 ? word : word[..slash]) is { } part && part <= whole ? part / whole : null;
    }

    private static double? NumberOf(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) ? number : null;
}
