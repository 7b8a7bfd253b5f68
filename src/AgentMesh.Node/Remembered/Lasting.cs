namespace AgentMesh.Node.Remembered;

/// <summary>
/// What was proven is not forgotten because nobody came: a device that was off for a year has nothing better than where it was then. It is forgotten when something else was
/// proven long after it, or there is too much.
/// </summary>
internal static class Lasting
{
    public static readonly TimeSpan Longest = TimeSpan.FromDays(90);

    /// <summary>The latest first, without what is much older than the latest; of the same time in the order given.</summary>
    /// <param name="at">When it was proven.</param>
    public static IReadOnlyList<T> Of<T>(IEnumerable<T> all, Func<T, DateTimeOffset> at, int most)
    {
        T[] sorted = [.. all.OrderByDescending(at)];
        return sorted.Length == 0 ? [] : [.. sorted.TakeWhile(each => at(sorted[0]) - at(each) <= Longest).Take(most)];
    }

    /// <summary>A time that lies ahead is of a clock that was wrong: it would never grow old, and push out what is proven now.</summary>
    public static DateTimeOffset NoLaterThan(this DateTimeOffset at, DateTimeOffset now) => at < now ? at : now;
}
