using System.Diagnostics;

namespace Akka.TestKit;

/// <summary>Time limits.</summary>
public abstract partial class TestKitBase
{
    private TimeSpan? _end;
    private bool _lastWasNoMessage;

    /// <summary>The monotonic clock; its zero has no meaning.</summary>
    public static TimeSpan Now => Stopwatch.GetElapsedTime(0);

    /// <summary>What remains of the Within around.</summary>
    /// <exception cref="InvalidOperationException">There is no Within around.</exception>
    public TimeSpan Remaining => _end is { } end ? Left(end) : throw new InvalidOperationException("Remaining has a meaning inside of Within only");

    public TimeSpan RemainingOrDefault => RemainingOr(Dilated(_settings.SingleExpectDefault));

    /// <summary>The time stretched by <c>akka.test.timefactor</c>.</summary>
    public TimeSpan Dilated(TimeSpan duration) => duration == Timeout.InfiniteTimeSpan ? duration : duration * _settings.TestTimeFactor;

    /// <summary>Unlike other methods, does not stretch what is given.</summary>
    public TimeSpan GetTimeoutOrDefault(TimeSpan? timeout) => timeout ?? RemainingOrDefault;

    public TimeSpan RemainingOrDilated(TimeSpan? duration) => duration switch
    {
        null => RemainingOrDefault,
        { } time when time == Timeout.InfiniteTimeSpan => time,
        { Ticks: < 0 } => throw new ArgumentException("A duration must not be negative", nameof(duration)),
        { } time => Dilated(time),
    };

    /// <summary>Fails when the action takes longer than <paramref name="max"/>; waiting methods in it wait no longer than what remains.</summary>
    /// <param name="epsilonValue">How much too late is still allowed.</param>
    public void Within(TimeSpan max, Action action, TimeSpan? epsilonValue = null, CancellationToken cancellationToken = default) =>
        Within(TimeSpan.Zero, max, action, null!, epsilonValue, cancellationToken);

    /// <inheritdoc cref="Within(TimeSpan,Action,TimeSpan?,CancellationToken)"/>
    /// <param name="min">Fails too when the action takes less.</param>
    public void Within(TimeSpan min, TimeSpan max, Action action, string hint = null!, TimeSpan? epsilonValue = null, CancellationToken cancellationToken = default) => Within(min, max, () =>
    {
        action();
        return true;
    }, hint, epsilonValue, cancellationToken);

    public T Within<T>(TimeSpan max, Func<T> function, TimeSpan? epsilonValue = null, CancellationToken cancellationToken = default) =>
        Within(TimeSpan.Zero, max, function, null!, epsilonValue, cancellationToken);

    public T Within<T>(TimeSpan min, TimeSpan max, Func<T> function, string hint = null!, TimeSpan? epsilonValue = null, CancellationToken cancellationToken = default) =>
        RunWithin(min, max, () => new ValueTask<T>(function()), hint, epsilonValue, cancellationToken).GetAwaiter().GetResult();

    public Task WithinAsync(TimeSpan max, Func<Task> actionAsync, TimeSpan? epsilonValue = null, CancellationToken cancellationToken = default) =>
        WithinAsync(TimeSpan.Zero, max, actionAsync, null!, epsilonValue, cancellationToken);

    public Task WithinAsync(TimeSpan min, TimeSpan max, Func<Task> actionAsync, string hint = null!, TimeSpan? epsilonValue = null, CancellationToken cancellationToken = default) => WithinAsync(min, max, async () =>
    {
        await actionAsync();
        return true;
    }, hint, epsilonValue, cancellationToken);

    public Task<T> WithinAsync<T>(TimeSpan max, Func<Task<T>> function, TimeSpan? epsilonValue = null, CancellationToken cancellationToken = default) =>
        WithinAsync(TimeSpan.Zero, max, function, null!, epsilonValue, cancellationToken);

    public Task<T> WithinAsync<T>(TimeSpan min, TimeSpan max, Func<Task<T>> function, string hint = null!, TimeSpan? epsilonValue = null, CancellationToken cancellationToken = default) =>
        RunWithin(min, max, () => new ValueTask<T>(function()), hint, epsilonValue, cancellationToken).AsTask();

    protected TimeSpan RemainingOr(TimeSpan duration) => _end is { } end ? Left(end) : duration;

    private static TimeSpan Left(TimeSpan end) => end > Now ? end - Now : TimeSpan.Zero;

    private async ValueTask<T> RunWithin<T>(TimeSpan min, TimeSpan max, Func<ValueTask<T>> function, string? hint, TimeSpan? epsilon, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        string note = Note(hint);
        TimeSpan start = Now, stretched = Dilated(max);
        TimeSpan? endBefore = _end;
        TimeSpan limit = endBefore is { } outer && Left(outer) < stretched ? Left(outer) : stretched;
        _assertions.AssertTrue(limit >= min, $"Within must take at least {min}, but only {limit} remain{note}");
        _lastWasNoMessage = false;
        _end = start + limit;
        T result;
        try
        {
            result = await function();
        }
        finally
        {
            _end = endBefore;
        }

        TimeSpan took = Now - start;
        _assertions.AssertTrue(took >= min, $"Within took {took}, which is less than {min}{note}");

        // Silence is awaited to the very end of the limit, so it must not count as late.
        if (!_lastWasNoMessage)
            _assertions.AssertTrue(took <= limit + (epsilon ?? TimeSpan.Zero), $"Within took {took}, which is more than {limit}{note}");
        return result;
    }

    private static string Note(string? hint) => string.IsNullOrEmpty(hint) ? "" : $" ({hint})";
}
