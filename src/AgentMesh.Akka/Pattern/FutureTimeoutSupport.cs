using Akka.Actor;
using Akka.Util;

namespace Akka.Pattern;

public static class FutureTimeoutSupport
{
    /// <summary>Calls the function after the delay.</summary>
    public static Task<T> After<T>(TimeSpan duration, IScheduler scheduler, Func<Task<T>> value)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        scheduler.Advanced.ScheduleOnce(duration, () => _ = Complete(value, result));
        return result.Task;
    }

    private static async Task Complete<T>(Func<Task<T>> value, TaskCompletionSource<T> result)
    {
        try
        {
            result.TrySetResult(await value().ConfigureAwait(false));
        }
        catch (Exception e)
        {
            result.TrySetException(e);
        }
    }
}

public static class RetrySupport
{
    public static Task<T> Retry<T>(Func<Task<T>> attempt, int attempts) => Retry(attempt, attempts, static _ => Option<TimeSpan>.None, null!);

    public static Task<T> Retry<T>(Func<Task<T>> attempt, int attempts, TimeSpan delay, IScheduler scheduler) => Retry(attempt, attempts, _ => delay, scheduler);

    /// <summary>Delays double from the shortest to the longest.</summary>
    /// <param name="randomFactor">0 or 1: the part of a delay that is added at random at most.</param>
    public static Task<T> Retry<T>(Func<Task<T>> attempt, int attempts, TimeSpan minBackoff, TimeSpan maxBackoff, int randomFactor, IScheduler scheduler) =>
        Retry(
            attempt,
            attempts,
            failed => TimeSpan.FromTicks((long)(Math.Min(maxBackoff.Ticks, minBackoff.Ticks * Math.Pow(2, Math.Min(failed, 62))) * (1 + (ThreadLocalRandom.Current.NextDouble() * randomFactor)))),
            scheduler);

    /// <param name="attempts">Retries after the first attempt; 0 or more.</param>
    /// <param name="delayFunction">Gets the number of failures so far; no delay means at once.</param>
    public static async Task<T> Retry<T>(Func<Task<T>> attempt, int attempts, Func<int, Option<TimeSpan>> delayFunction, IScheduler scheduler)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(attempts);
        for (int failed = 0; ; failed++)
        {
            try
            {
                return await attempt().ConfigureAwait(false);
            }
            catch when (failed < attempts)
            {
                Option<TimeSpan> delay = delayFunction(failed);
                if (delay.HasValue && delay.Value > TimeSpan.Zero)
                    await FutureTimeoutSupport.After(delay.Value, scheduler, static () => Task.FromResult(0)).ConfigureAwait(false);
            }
        }
    }
}
