using System.Globalization;

namespace AgentMesh.Cli.Doctor;

/// <summary>What files of /proc say (proc(5)).</summary>
internal static class ProcFiles
{
    /// <summary>/proc/net/udp: the second word is the local address with the port in hexadecimal digits, the last one counts drops.</summary>
    public static long UdpDrops(string text, IReadOnlyCollection<int> ports)
    {
        long drops = 0;
        foreach (string line in text.Split('\n'))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length >= 13
                && int.TryParse(words[1].AsSpan(words[1].LastIndexOf(':') + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int port)
                && ports.Contains(port)
                && long.TryParse(words[^1], NumberStyles.None, CultureInfo.InvariantCulture, out long count))
            {
                drops += count;
            }
        }

        return drops;
    }

    /// <summary>/proc/PID/stat: number, name in parentheses (any characters), state, number of the parent.</summary>
    public static bool IsZombieOf(string stat, int parent)
    {
        string[] words = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', 3, StringSplitOptions.RemoveEmptyEntries);
        return words is ["Z", { } number, ..] && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int found) && found == parent;
    }
}
