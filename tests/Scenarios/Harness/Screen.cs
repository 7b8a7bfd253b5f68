using System.Text;

namespace Scenarios.Harness;

/// <summary>What stands on a terminal after some bytes were written to it: enough of one for lines that are drawn over.</summary>
internal static class Screen
{
    /// <returns>The lines, without those that are empty.</returns>
    public static IReadOnlyList<string> Of(string written, int columns)
    {
        var lines = new List<StringBuilder> { new() };
        int row = 0, column = 0;
        for (int i = 0; i < written.Length; i++)
        {
            char c = written[i];
            if (c == '\r')
            {
                column = 0;
            }
            else if (c == '\n')
            {
                row++;
            }
            else if (c == '\b')
            {
                column = Math.Max(0, column - 1);
            }
            else if (c == '\u001b' && i + 1 < written.Length && written[i + 1] == '[')
            {
                int end = i + 2;
                while (!char.IsAsciiLetter(written[end]))
                {
                    end++;
                }

                int count = int.TryParse(written.AsSpan(i + 2, end - i - 2), out int number) ? number : 0;
                switch (written[end])
                {
                    case 'A':
                        row = Math.Max(0, row - Math.Max(1, count));
                        break;
                    case 'J':
                        lines.RemoveRange(row + 1, lines.Count - row - 1);
                        goto case 'K';
                    case 'K':
                        lines[row].Length = Math.Min(lines[row].Length, column);
                        break;
                    case 'G':
                        column = Math.Max(1, count) - 1;
                        break;
                    case 'C':
                        column += Math.Max(1, count);
                        break;
                    case 'D':
                        column = Math.Max(0, column - Math.Max(1, count));
                        break;
                }

                i = end;
            }
            else if (c == '\u001b')
            {
                // A mode of the keys.
                i++;
            }
            else if (c >= ' ')
            {
                if (column == columns)
                {
                    row++;
                    column = 0;
                }

                Reach(lines, row);
                StringBuilder line = lines[row];
                line.Append(' ', Math.Max(0, column + 1 - line.Length));
                line[column++] = c;
            }

            Reach(lines, row);
        }

        return [.. lines.Select(line => line.ToString().TrimEnd()).Where(line => line.Length > 0)];
    }

    private static void Reach(List<StringBuilder> lines, int row)
    {
        while (lines.Count <= row)
        {
            lines.Add(new StringBuilder());
        }
    }
}
