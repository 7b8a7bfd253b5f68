using System.Globalization;
using System.Runtime.InteropServices;

namespace Soak.Nodes;

/// <summary>What the system tells of processes (Linux).</summary>
internal static class ProcessFacts
{
    public const int SigKill = 9;
    public const int SigCont = 18;
    public const int SigStop = 19;

    public static bool Signal(int process, int signal) => SendSignal(process, signal) == 0;

    public static bool Exists(int process) => Directory.Exists(Of(process));

    /// <summary>Null when it is gone.</summary>
    public static MemorySample? Sample(int process, TimeSpan at)
    {
        try
        {
            long kilobytes = 0;
            int threads = 0;
            foreach (string line in File.ReadLines(Of(process) + "/status"))
            {
                if (line.StartsWith("VmRSS:", StringComparison.Ordinal))
                {
                    kilobytes = long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture);
                }
                else if (line.StartsWith("Threads:", StringComparison.Ordinal))
                {
                    threads = int.Parse(line.Split('\t')[^1], CultureInfo.InvariantCulture);
                }
            }

            return kilobytes == 0 ? null : new MemorySample(at, kilobytes * 1024, threads, Handles(process));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Open files but those of the output store, which keeps the files of the last jobs open up to a bound of its own.</summary>
    private static int Handles(int process) => new DirectoryInfo(Of(process) + "/fd").GetFileSystemInfos().Count(file => file.LinkTarget?.EndsWith(".out", StringComparison.Ordinal) != true);

    /// <summary>Processes that work in a folder or have a word in their arguments, as "number: arguments".</summary>
    public static IReadOnlyList<string> Find(string folder, string word)
    {
        var found = new List<string>();
        foreach (string directory in Directory.GetDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out int process) || process == Environment.ProcessId)
            {
                continue;
            }

            try
            {
                string arguments = File.ReadAllText(directory + "/cmdline").Replace('\0', ' ').Trim();
                string? works = new FileInfo(directory + "/cwd").LinkTarget;
                if (arguments.Contains(word, StringComparison.Ordinal) || works?.StartsWith(folder, StringComparison.Ordinal) == true)
                {
                    found.Add($"{process}: {arguments}");
                }
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // Gone in between, or of another user.
            }
        }

        return found;
    }

    /// <summary>Children of a process that have ended and were never waited for.</summary>
    public static int Zombies(int parent)
    {
        int zombies = 0;
        foreach (string directory in Directory.GetDirectories("/proc"))
        {
            try
            {
                // "pid (name) state ppid ...": the name may hold anything but is the last in parentheses.
                string stat = File.ReadAllText(directory + "/stat");
                string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                zombies += fields[0] == "Z" && fields[1] == parent.ToString(CultureInfo.InvariantCulture) ? 1 : 0;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // No process, or gone in between.
            }
        }

        return zombies;
    }

    private static string Of(int process) => "/proc/" + process.ToString(CultureInfo.InvariantCulture);

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int SendSignal(int process, int signal);
}

internal readonly record struct MemorySample(TimeSpan At, long Bytes, int Threads, int Handles);
