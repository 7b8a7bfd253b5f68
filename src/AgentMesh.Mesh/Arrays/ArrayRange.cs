using System.Collections.Immutable;
using System.Globalization;
using AgentMesh.Errors;
using AgentMesh.Mesh.Commands;

namespace AgentMesh.Mesh.Arrays;

/// <summary>
/// The numbers of <c>--array</c>:
/// <code>
/// array = part *( "," part ) [ "%" parallel ]
/// part  = number [ "-" number [ ":" step ] ]
/// </code>
/// as batch systems write them: <c>0-99%8</c>, <c>1,5,10-20:2</c>. Each number once, in the order of writing.
/// </summary>
/// <param name="Parallel">Elements at the same time; null where it is not said.</param>
public sealed record ArrayRange(ArrayItems Items, int? Parallel)
{
    private const string Forms = "write numbers and ranges, for example 0-99, 0-99%8 (eight at a time) or 1,5,10-20:2";

    /// <exception cref="MeshException">AM0353 with the position. AM0358: too many.</exception>
    public static ArrayRange Parse(string text)
    {
        var numbers = new List<int>();
        var seen = new HashSet<int>();
        int at = 0;
        while (true)
        {
            int from = ReadNumber(text, ref at), to = from, step = 1;
            if (Take(text, '-', ref at))
            {
                int start = at;
                to = ReadNumber(text, ref at);
                if (to < from)
                {
                    throw Wrong(text, start, $"{to} is below {from}", Forms);
                }

                int stepAt = at + 1;
                step = Take(text, ':', ref at) ? ReadNumber(text, ref at) : 1;
                if (step == 0)
                {
                    throw Wrong(text, stepAt, "a step is 1 or more", Forms);
                }
            }

            for (long number = from; number <= to; number += step)
            {
                if (seen.Add((int)number))
                {
                    numbers.Add((int)number);
                }

                if (numbers.Count > ArrayItems.CountMax)
                {
                    throw ArrayItems.TooMany(numbers.Count);
                }
            }

            if (!Take(text, ',', ref at))
            {
                break;
            }
        }

        int? parallel = null;
        if (Take(text, '%', ref at))
        {
            int start = at;
            parallel = ReadNumber(text, ref at);
            if (parallel is 0 or > ArraySpec.ParallelMax)
            {
                throw Wrong(text, start, $"1 to {ArraySpec.ParallelMax} elements run at the same time, not {parallel}", Forms);
            }
        }

        return at == text.Length
            ? new ArrayRange(new ArrayItems([""], [.. numbers.Select(number => number.ToString(CultureInfo.InvariantCulture))]), parallel)
            : throw Wrong(text, at, $"'{text[at]}' is not expected here", Forms);
    }

    private static int ReadNumber(string text, ref int at)
    {
        int start = at;
        while (at < text.Length && char.IsAsciiDigit(text[at]))
        {
            at++;
        }

        return at == start ? throw Wrong(text, at, "a number is expected", Forms)
            : int.TryParse(text.AsSpan(start, at - start), NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number < int.MaxValue ? number
            : throw Wrong(text, start, $"a number is below {int.MaxValue}", Forms);
    }

    private static bool Take(string text, char wanted, ref int at)
    {
        bool isThere = at < text.Length && text[at] == wanted;
        at += isThere ? 1 : 0;
        return isThere;
    }

    private static MeshException Wrong(string text, int at, string what, string next) => CommandSyntax.Error(text, at, what, next, MeshErrors.ArraySyntax);
}
