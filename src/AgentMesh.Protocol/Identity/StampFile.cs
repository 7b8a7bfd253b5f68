using System.Globalization;
using AgentMesh.Files;
using AgentMesh.Protocol.Handshake;

namespace AgentMesh.Protocol.Identity;

/// <summary>
/// Keeps <see cref="InitiationStamps"/> in the data directory: one decimal number. Losing it matters only when the clock runs backwards as well: other devices then
/// leave this one unanswered until its clock has caught up or they restart. So a failing disk does not stop connecting.
/// </summary>
public static class StampFile
{
    public const string FileName = "handshake-stamp";

    // 100 ns since 1970 reach this in the year 16,583: a damaged file must not make the numbers run out.
    private const ulong Implausible = 1UL << 62;

    public static InitiationStamps Open(string dataDirectory)
    {
        string path = Path.Combine(dataDirectory, FileName);
        return new InitiationStamps(Read(path), value => Write(path, value));
    }

    private static ulong Read(string path)
    {
        try
        {
            return ulong.TryParse(File.ReadAllText(path).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) && value < Implausible ? value : 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    private static void Write(string path, ulong value)
    {
        try
        {
            WholeFile.Write(path, value.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // see the summary
        }
    }
}
