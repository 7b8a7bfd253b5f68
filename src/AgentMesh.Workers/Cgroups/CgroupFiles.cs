using System.Globalization;
using System.Text;

namespace AgentMesh.Workers.Cgroups;

/// <summary>The files of a cgroup (kernel documentation, cgroup-v2). What cannot be read or written is not there: a kernel that is older, a controller that was not given.</summary>
internal static class CgroupFiles
{
    public const string Processes = "cgroup.procs";
    public const string Kill = "cgroup.kill";
    public const string Controllers = "cgroup.controllers";
    public const string ForChildren = "cgroup.subtree_control";

    public static bool TryWrite(string directory, string file, string text)
    {
        try
        {
            // As it is there: a file that is made, or shortened, is none of these.
            using var to = new FileStream(Path.Combine(directory, file), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            to.Write(Encoding.ASCII.GetBytes(text));
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    public static string? Read(string directory, string file)
    {
        try
        {
            return File.ReadAllText(Path.Combine(directory, file));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Of a file with a name and a number in each line.</summary>
    public static long? Number(string directory, string file, string name)
    {
        foreach (string line in Read(directory, file)?.Split('\n') ?? [])
        {
            if (line.StartsWith(name, StringComparison.Ordinal) && line.Length > name.Length && line[name.Length] == ' ')
            {
                return Number(line[(name.Length + 1)..]);
            }
        }

        return null;
    }

    public static long? Number(string directory, string file) => Number(Read(directory, file));

    private static long? Number(string? text) => long.TryParse(text?.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null;
}
