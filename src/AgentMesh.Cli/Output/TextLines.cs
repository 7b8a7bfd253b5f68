namespace AgentMesh.Cli.Output;

internal static class TextLines
{
    /// <summary>The pieces of a text, each with the line feed that ends it; the last may have none.</summary>
    public static IEnumerable<string> SplitLines(this string text)
    {
        int start = 0;
        while (start < text.Length)
        {
            int end = text.IndexOf('\n', start);
            int next = end < 0 ? text.Length : end + 1;
            yield return text[start..next];
            start = next;
        }
    }
}
