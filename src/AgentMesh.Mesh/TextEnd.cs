using System.Text;

namespace AgentMesh.Mesh;

/// <summary>The end of a text in UTF-8 that is too long to be shown whole.</summary>
public static class TextEnd
{
    /// <param name="bytes">Of text, cut anywhere at its beginning.</param>
    /// <param name="max">The last so many are taken, or up to three less: from a whole character on.</param>
    /// <param name="isCut">Something was left out before them already.</param>
    public static string Of(ReadOnlySpan<byte> bytes, int max, bool isCut = false)
    {
        ReadOnlySpan<byte> end = bytes[Math.Max(0, bytes.Length - max)..];
        isCut |= end.Length < bytes.Length;
        while (isCut && !end.IsEmpty && (end[0] & 0xC0) == 0x80)
        {
            end = end[1..];
        }

        return Encoding.UTF8.GetString(end);
    }
}
