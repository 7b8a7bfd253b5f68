using Soak.Nodes;
using Soak.Running;

namespace Soak.Checks;

/// <summary>Memory, threads and open files of each life of a node have a bound, and do not grow for ever.</summary>
internal static class MemoryChecks
{
    public const long BytesMax = 400L * 1024 * 1024;
    public const int ThreadsMax = 150;
    public const int HandlesMax = 600;

    /// <summary>Growth from the third quarter of a life to the last one that counts as a trend.</summary>
    private const double Trend = 1.15;
    private const long TrendBytes = 25L * 1024 * 1024;
    private const int TrendThreads = 15;
    private const int TrendHandles = 40;

    /// <summary>A shorter life is still warming up.</summary>
    private static readonly TimeSpan TrendFrom = TimeSpan.FromMinutes(4);

    public static void Run(Board board, History history)
    {
        foreach (((string node, int process), IEnumerable<MemorySample> samples) in history.Memory.Select(life => (life.Key, (IEnumerable<MemorySample>)life.Value)))
        {
            Check(board, $"{node} process {process}", [.. samples]);
        }
    }

    public static void Check(Board board, string life, IReadOnlyList<MemorySample> samples)
    {
        long most = samples.Max(sample => sample.Bytes);
        board.Check("memory of a node stays below 400 MB", most <= BytesMax, () => $"{life}: {most >> 20} MB");
        board.Check("threads and open files of a node are bounded", samples.All(sample => sample.Threads <= ThreadsMax && sample.Handles <= HandlesMax), () => $"{life}: {samples.Max(sample => sample.Threads)} threads, {samples.Max(sample => sample.Handles)} files");
        if (samples[^1].At - samples[0].At < TrendFrom)
        {
            return;
        }

        MemorySample[] third = [.. Quarter(samples, 2)], last = [.. Quarter(samples, 3)];
        long before = Median(third.Select(sample => sample.Bytes)), after = Median(last.Select(sample => sample.Bytes));
        board.Check("memory does not grow over the last half of a life", after <= Math.Max(before * Trend, before + TrendBytes), () => $"{life}: {before >> 20} MB, then {after >> 20} MB");
        long threads = Median(third.Select(sample => (long)sample.Threads)), threadsAfter = Median(last.Select(sample => (long)sample.Threads));
        long handles = Median(third.Select(sample => (long)sample.Handles)), handlesAfter = Median(last.Select(sample => (long)sample.Handles));
        board.Check(
            "threads and open files do not grow over the last half of a life",
            threadsAfter <= threads + TrendThreads && handlesAfter <= handles + TrendHandles,
            () => $"{life}: {threads} threads, then {threadsAfter}; {handles} files, then {handlesAfter}");
    }

    private static IEnumerable<MemorySample> Quarter(IReadOnlyList<MemorySample> samples, int number) => samples.Skip(samples.Count * number / 4).Take(samples.Count / 4);

    private static long Median(IEnumerable<long> values)
    {
        long[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
