namespace Akka.Util;

/// <summary>Matching with <c>*</c> (any run of characters) and <c>?</c> (one character).</summary>
public static class WildcardMatch
{
    public static bool Like(this string text, string pattern, bool caseSensitive = false)
    {
        int t = 0, p = 0, starAt = -1, resumeAt = 0;
        while (t < text.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                starAt = p++;
                resumeAt = t;
            }
            else if (p < pattern.Length && (pattern[p] == '?' || Same(text[t], pattern[p], caseSensitive)))
            {
                t++;
                p++;
            }
            else if (starAt >= 0)
            {
                // Let the last star take one more character and try again.
                p = starAt + 1;
                t = ++resumeAt;
            }
            else
            {
                return false;
            }
        }

        while (p < pattern.Length && pattern[p] == '*')
            p++;
        return p == pattern.Length;
    }

    private static bool Same(char a, char b, bool caseSensitive) =>
        a == b || (!caseSensitive && char.ToUpperInvariant(a) == char.ToUpperInvariant(b));
}
