using System.Globalization;

namespace AgentMesh.Shim.Format;

/// <summary>
/// A process that can be told from a later one with the same number: by its start in clock ticks since boot, and the boot.
/// </summary>
internal readonly record struct ProcessIdentity(int Id, long Start)
{
    /// <returns>Null where there is no such process.</returns>
    public static ProcessIdentity? Of(int id) => Stat(id) is { } stat ? new ProcessIdentity(id, stat.Start) : null;

    /// <summary>One that has ended and waits for its parent counts as gone.</summary>
    public bool IsAlive => Id > 0 && Stat(Id) is { } stat && stat.Start == Start && stat.State is not ('Z' or 'X');

    /// <returns>Null where there is no such process.</returns>
    public static int? SessionOf(int id) => Stat(id)?.Session;

    private static (char State, long Start, int Session)? Stat(int id)
    {
        try
        {
            // The second field is the name in parentheses, which may hold anything: count from behind it.
            string text = File.ReadAllText("/proc/" + id.ToString(CultureInfo.InvariantCulture) + "/stat");
            string[] fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return (fields[0][0], long.Parse(fields[19], CultureInfo.InvariantCulture), int.Parse(fields[3], CultureInfo.InvariantCulture));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

/// <summary>Who runs an attempt. In the file, with a space between: boot, shim, its start, leader of the program's group, its start (0 before it is started).</summary>
internal sealed record ShimRecord(string Boot, ProcessIdentity Shim, ProcessIdentity Program)
{
    public static string ThisBoot()
    {
        try
        {
            return File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "-";
        }
    }

    public void Write(string file) => ShimFiles.Replace(
        file, string.Create(CultureInfo.InvariantCulture, $"{Boot} {Shim.Id} {Shim.Start} {Program.Id} {Program.Start}\n"));

    /// <returns>Null where there is none, or it is damaged.</returns>
    public static ShimRecord? TryRead(string file)
    {
        try
        {
            string[] fields = File.ReadAllText(file).TrimEnd('\n').Split(' ');
            return fields.Length == 5 && Numbers(fields) is { } n ? new ShimRecord(fields[0], new ProcessIdentity((int)n[0], n[1]), new ProcessIdentity((int)n[2], n[3])) : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static long[]? Numbers(string[] fields)
    {
        long[] numbers = new long[4];
        for (int i = 0; i < numbers.Length; i++)
        {
            if (!long.TryParse(fields[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i]))
            {
                return null;
            }
        }

        return numbers;
    }
}

/// <summary>How a program ended. In the file, with a space between: version, outcome, exit code, length of stdout, of stderr, errno.</summary>
internal sealed record EndRecord(ShimOutcome Outcome, int ExitCode, long StdoutBytes, long StderrBytes, int Errno)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{ShimFrame.Version} {(byte)Outcome} {ExitCode} {StdoutBytes} {StderrBytes} {Errno}\n");

    /// <returns>Null where there is none, or it is damaged or of another version.</returns>
    public static EndRecord? TryRead(string file)
    {
        try
        {
            string[] fields = File.ReadAllText(file).TrimEnd('\n').Split(' ');
            long[] numbers = new long[fields.Length];
            for (int i = 0; i < fields.Length; i++)
            {
                if (!long.TryParse(fields[i], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i]))
                {
                    return null;
                }
            }

            return numbers is [ShimFrame.Version, >= 1 and <= 5, _, _, _, _] ? new EndRecord((ShimOutcome)numbers[1], (int)numbers[2], numbers[3], numbers[4], (int)numbers[5]) : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public static EndRecord Of(ShimFrame frame) => new((ShimOutcome)frame.Detail, frame.Code, frame.A, frame.B, (int)frame.C);

    public ShimFrame ToFrame() => new(ShimFrameKind.Ended, (byte)Outcome, ExitCode, StdoutBytes, StderrBytes, Errno);
}
