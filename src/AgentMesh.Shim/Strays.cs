using System.Globalization;

namespace AgentMesh.Shim;

/// <summary>What a program started and left behind: orphans become children of this process.</summary>
internal static class Strays
{
    /// <summary>Each that is killed may hand on children of its own; one that starts new ones faster than this is given up.</summary>
    private const int RoundsMax = 100;

    public static void KillChildren()
    {
        for (int round = 0; round < RoundsMax && Children() is { Length: > 0 } children; round++)
        {
            foreach (int child in children)
            {
                _ = Native.Kill(child, Native.SigKill);
                _ = Native.Wait(child, out _, 0);
            }
        }
    }

    private static int[] Children()
    {
        try
        {
            string id = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
            string[] texts = File.ReadAllText($"/proc/{id}/task/{id}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return [.. texts.Select(text => int.Parse(text, CultureInfo.InvariantCulture))];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
