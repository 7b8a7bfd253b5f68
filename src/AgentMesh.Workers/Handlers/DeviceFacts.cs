using System.Globalization;
using System.Runtime.InteropServices;

namespace AgentMesh.Workers.Handlers;

/// <summary>What a device can say about itself.</summary>
public sealed class DeviceFacts(string deviceName, string dataDirectory, TimeProvider time)
{
    private readonly long _startedAt = time.GetTimestamp();

    public string DeviceName => deviceName;

    /// <summary>Lines of "key: value"; a value that this system does not tell is "unknown".</summary>
    public string Measure()
    {
        (string Key, string? Value)[] facts =
        [
            ("device", deviceName),
            ("host", Environment.MachineName),
            ("system", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}".Trim()),
            ("uptime", Span(TimeSpan.FromMilliseconds(Environment.TickCount64))),
            ("node uptime", Span(time.GetElapsedTime(_startedAt))),
            ("processors", Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture)),
            ("load", Load()),
            ("memory", Memory()),
            ("disk free", Disk()),
            ("node memory", Size(Environment.WorkingSet)),
        ];
        return string.Join('\n', facts.Select(fact => $"{fact.Key}: {fact.Value ?? "unknown"}"));
    }

    internal static string? Load() => ReadFirst("/proc/loadavg") is { } line ? string.Join(' ', line.Split(' ').Take(3)) : null;

    internal static string? Memory()
    {
        if (!File.Exists("/proc/meminfo"))
        {
            return null;
        }

        var values = File.ReadLines("/proc/meminfo").Take(3).Select(line => line.Split(':', StringSplitOptions.TrimEntries)).Where(parts => parts.Length == 2)
            .ToDictionary(parts => parts[0], parts => parts[1].Split(' ')[0], StringComparer.Ordinal);
        return values.TryGetValue("MemAvailable", out string? free) && values.TryGetValue("MemTotal", out string? all) &&
            long.TryParse(free, CultureInfo.InvariantCulture, out long freeKiB) && long.TryParse(all, CultureInfo.InvariantCulture, out long allKiB)
            ? $"{Size(freeKiB * 1024)} free of {Size(allKiB * 1024)}"
            : null;
    }

    private string? Disk()
    {
        try
        {
            var drive = new DriveInfo(dataDirectory);
            return $"{Size(drive.AvailableFreeSpace)} of {Size(drive.TotalSize)}";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    private static string? ReadFirst(string file)
    {
        try
        {
            return File.Exists(file) ? File.ReadLines(file).FirstOrDefault() : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static string Size(long bytes) => bytes >= 1L << 30
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.0} GiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):0} MiB");

    private static string Span(TimeSpan span) => span.TotalDays >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)span.TotalDays} d {span.Hours} h")
        : span.TotalHours >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{span.Hours} h {span.Minutes} min") : string.Create(CultureInfo.InvariantCulture, $"{(int)span.TotalMinutes} min {span.Seconds} s");
}
