namespace Akka.Actor;

/// <summary>The clock of the system.</summary>
public class DateTimeOffsetNowTimeProvider : IDateTimeOffsetNowTimeProvider
{
    private static readonly long Start = TimeProvider.System.GetTimestamp();

    private DateTimeOffsetNowTimeProvider()
    {
    }

    public static DateTimeOffsetNowTimeProvider Instance { get; } = new();

    public DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    public TimeSpan MonotonicClock => TimeProvider.System.GetElapsedTime(Start);

    public TimeSpan HighResMonotonicClock => MonotonicClock;
}
