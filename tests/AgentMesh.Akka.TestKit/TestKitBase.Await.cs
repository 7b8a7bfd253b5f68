using Akka.TestKit.Internal;

namespace Akka.TestKit;

/// <summary>Waiting for what nothing announces: looks again and again.</summary>
/// <remarks>Without an interval, every tenth of a second (conditions) or every tenth of the maximum (assertions), and no more rarely than that.</remarks>
public abstract partial class TestKitBase
{
    private static readonly TimeSpan DefaultInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>Runs the assertion until it does not throw; at the end its exception passes.</summary>
    public void AwaitAssert(Action assertion, TimeSpan? duration = null, TimeSpan? interval = null, CancellationToken cancellationToken = default) => Assert(() =>
    {
        assertion();
        return ValueTask.CompletedTask;
    }, duration, interval, blocking: true, cancellationToken).GetAwaiter().GetResult();

    public Task AwaitAssertAsync(Action assertion, TimeSpan? duration = null, TimeSpan? interval = null, CancellationToken cancellationToken = default) => Assert(() =>
    {
        assertion();
        return ValueTask.CompletedTask;
    }, duration, interval, blocking: false, cancellationToken).AsTask();

    public Task AwaitAssertAsync(Func<Task> assertion, TimeSpan? duration = null, TimeSpan? interval = null, CancellationToken cancellationToken = default) =>
        Assert(() => new ValueTask(assertion()), duration, interval, blocking: false, cancellationToken).AsTask();

    public void AwaitCondition(Func<bool> conditionIsFulfilled, CancellationToken cancellationToken = default) =>
        AwaitCondition(conditionIsFulfilled, null, null, null!, cancellationToken);

    public void AwaitCondition(Func<bool> conditionIsFulfilled, TimeSpan? max, CancellationToken cancellationToken = default) =>
        AwaitCondition(conditionIsFulfilled, max, null, null!, cancellationToken);

    public void AwaitCondition(Func<bool> conditionIsFulfilled, TimeSpan? max, string message, CancellationToken cancellationToken = default) =>
        AwaitCondition(conditionIsFulfilled, max, null, message, cancellationToken);

    public void AwaitCondition(Func<bool> conditionIsFulfilled, TimeSpan? max, TimeSpan? interval, string message = null!, CancellationToken cancellationToken = default) =>
        Become(() => new ValueTask<bool>(conditionIsFulfilled()), max, interval, message, blocking: true, cancellationToken).GetAwaiter().GetResult();

    public Task AwaitConditionAsync(Func<bool> conditionIsFulfilled, CancellationToken cancellationToken = default) =>
        AwaitConditionAsync(conditionIsFulfilled, null, null, null!, cancellationToken);

    public Task AwaitConditionAsync(Func<bool> conditionIsFulfilled, TimeSpan? max, string message, CancellationToken cancellationToken = default) =>
        AwaitConditionAsync(conditionIsFulfilled, max, null, message, cancellationToken);

    public Task AwaitConditionAsync(Func<bool> conditionIsFulfilled, TimeSpan? max, TimeSpan? interval, string message = null!, CancellationToken cancellationToken = default) =>
        Become(() => new ValueTask<bool>(conditionIsFulfilled()), max, interval, message, blocking: false, cancellationToken).AsTask();

    public Task AwaitConditionAsync(Func<Task<bool>> conditionIsFulfilled, CancellationToken cancellationToken = default) =>
        AwaitConditionAsync(conditionIsFulfilled, null, null, null!, cancellationToken);

    public Task AwaitConditionAsync(Func<Task<bool>> conditionIsFulfilled, TimeSpan? max, CancellationToken cancellationToken = default) =>
        AwaitConditionAsync(conditionIsFulfilled, max, null, null!, cancellationToken);

    public Task AwaitConditionAsync(Func<Task<bool>> conditionIsFulfilled, TimeSpan? max, string message, CancellationToken cancellationToken = default) =>
        AwaitConditionAsync(conditionIsFulfilled, max, null, message, cancellationToken);

    public Task AwaitConditionAsync(Func<Task<bool>> conditionIsFulfilled, TimeSpan? max, TimeSpan? interval, string message = null!, CancellationToken cancellationToken = default) =>
        Become(() => new ValueTask<bool>(conditionIsFulfilled()), max, interval, message, blocking: false, cancellationToken).AsTask();

    /// <returns>Whether the condition was fulfilled in time.</returns>
    public bool AwaitConditionNoThrow(Func<bool> conditionIsFulfilled, TimeSpan max, TimeSpan? interval = null, CancellationToken cancellationToken = default) =>
        Waiting.Until(conditionIsFulfilled, Dilated(max), interval ?? DefaultInterval, blocking: true, cancellationToken).GetAwaiter().GetResult();

    public Task<bool> AwaitConditionNoThrowAsync(Func<bool> conditionIsFulfilled, TimeSpan max, TimeSpan? interval = null, CancellationToken cancellationToken = default) =>
        Waiting.Until(conditionIsFulfilled, Dilated(max), interval ?? DefaultInterval, blocking: false, cancellationToken).AsTask();

    public Task<bool> AwaitConditionNoThrowAsync(Func<Task<bool>> conditionIsFulfilled, TimeSpan max, TimeSpan? interval = null, CancellationToken cancellationToken = default) =>
        Waiting.Until(() => new ValueTask<bool>(conditionIsFulfilled()), Dilated(max), interval ?? DefaultInterval, blocking: false, cancellationToken).AsTask();

    private async ValueTask Become(Func<ValueTask<bool>> condition, TimeSpan? max, TimeSpan? interval, string? message, bool blocking, CancellationToken cancellation)
    {
        TimeSpan limit = RemainingOrDilated(max);
        if (!await Waiting.Until(condition, limit, interval ?? DefaultInterval, blocking, cancellation))
            _assertions.Fail($"The condition was not fulfilled within {limit}{Note(message)}");
    }

    private async ValueTask Assert(Func<ValueTask> assertion, TimeSpan? duration, TimeSpan? interval, bool blocking, CancellationToken cancellation)
    {
        TimeSpan limit = RemainingOrDilated(duration), end = Now + limit;
        TimeSpan pause = interval ?? (limit < TimeSpan.FromSeconds(1) ? limit / 10 : DefaultInterval);
        while (true)
        {
            try
            {
                await assertion();
                return;
            }
            catch (Exception e) when (e is not OperationCanceledException && Left(end) > TimeSpan.Zero)
            {
                // Not yet; its exception counts when the time is over.
            }

            await Waiting.Pause(Left(end) < pause ? Left(end) : pause, blocking, cancellation);
        }
    }
}
