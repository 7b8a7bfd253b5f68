namespace AgentMesh.Mesh.Selectors;

/// <summary>What somebody may have meant who wrote a word that nobody knows.</summary>
public static class Nearest
{
    private const int WordLengthMax = 128;

    /// <summary>Null where nothing is near: more than a third of the word would have to change.</summary>
    public static string? Of(string word, IEnumerable<string> known)
    {
        if (word.Length > WordLengthMax)
        {
            return null;
        }

        string? nearest = null;
        int least = Math.Max(1, word.Length / 3) + 1;
        foreach (string candidate in known)
        {
            int distance = Distance(word.ToLowerInvariant(), candidate.ToLowerInvariant());
            if (distance < least)
            {
                least = distance;
                nearest = candidate;
            }
        }

        return nearest;
    }

    /// <summary>Letters that are added, left out, exchanged for another, or swapped with their neighbour. Words are short.</summary>
    public static int Distance(string left, string right)
    {
        int[,] steps = new int[left.Length + 1, right.Length + 1];
        for (int i = 0; i <= left.Length; i++)
        {
            for (int j = 0; j <= right.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    steps[i, j] = i + j;
                    continue;
                }

                int other = left[i - 1] == right[j - 1] ? 0 : 1;
                int least = Math.Min(steps[i - 1, j - 1] + other, Math.Min(steps[i - 1, j], steps[i, j - 1]) + 1);
                bool isSwapped = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
                steps[i, j] = isSwapped ? Math.Min(least, steps[i - 2, j - 2] + 1) : least;
            }
        }

        return steps[left.Length, right.Length];
    }
}
