namespace Akka.TestKit;

/// <summary>Taking messages as long as they fit.</summary>
public abstract partial class TestKitBase
{
    /// <summary>
    /// Takes messages until the filter answers null (that message stays), the pause before the next one is longer than <paramref name="idle"/>,
    /// <paramref name="max"/> is over or there are <paramref name="msgs"/>.
    /// </summary>
    public IReadOnlyList<T> ReceiveWhile<T>(TimeSpan? max, Func<object, T?> filter, int msgs = int.MaxValue, CancellationToken cancellationToken = default)
        where T : class => ReceiveWhile(filter, max, Timeout.InfiniteTimeSpan, msgs, cancellationToken);

    public IReadOnlyList<T> ReceiveWhile<T>(TimeSpan? max, TimeSpan? idle, Func<object, T?> filter, int msgs = int.MaxValue, CancellationToken cancellationToken = default)
        where T : class => ReceiveWhile(filter, max, idle, msgs, cancellationToken);

    public IReadOnlyList<T> ReceiveWhile<T>(Func<object, T?> filter, TimeSpan? max = null, TimeSpan? idle = null, int msgs = int.MaxValue, CancellationToken cancellationToken = default)
        where T : class => TakeWhile(Filtered(filter), max, idle, msgs, blocking: true, cancellationToken).GetAwaiter().GetResult();

    /// <param name="shouldIgnoreOtherMessageTypes">False ends at a message of another type, which stays; true drops it and goes on.</param>
    public IReadOnlyList<T> ReceiveWhile<T>(Predicate<T> shouldContinue, TimeSpan? max = null, TimeSpan? idle = null, int msgs = int.MaxValue, bool shouldIgnoreOtherMessageTypes = true, CancellationToken cancellationToken = default)
        where T : class => TakeWhile(Predicated(shouldContinue, shouldIgnoreOtherMessageTypes), max, idle, msgs, blocking: true, cancellationToken).GetAwaiter().GetResult();

    public IAsyncEnumerable<T> ReceiveWhileAsync<T>(TimeSpan? max, Func<object, T?> filter, int msgs = int.MaxValue, CancellationToken cancellationToken = default)
        where T : class => ReceiveWhileAsync(filter, max, Timeout.InfiniteTimeSpan, msgs, cancellationToken);

    public IAsyncEnumerable<T> ReceiveWhileAsync<T>(TimeSpan? max, TimeSpan? idle, Func<object, T?> filter, int msgs = int.MaxValue, CancellationToken cancellationToken = default)
        where T : class => ReceiveWhileAsync(filter, max, idle, msgs, cancellationToken);

    public IAsyncEnumerable<T> ReceiveWhileAsync<T>(Func<object, T?> filter, TimeSpan? max = null, TimeSpan? idle = null, int msgs = int.MaxValue, CancellationToken cancellationToken = default)
        where T : class => Each(() => TakeWhile(Filtered(filter), max, idle, msgs, blocking: false, cancellationToken), cancellationToken);

    public IAsyncEnumerable<T> ReceiveWhileAsync<T>(Predicate<T> shouldContinue, TimeSpan? max = null, TimeSpan? idle = null, int msgs = int.MaxValue, bool shouldIgnoreOtherMessageTypes = true, CancellationToken cancellationToken = default)
        where T : class => Each(() => TakeWhile(Predicated(shouldContinue, shouldIgnoreOtherMessageTypes), max, idle, msgs, blocking: false, cancellationToken), cancellationToken);

    private enum Verdict
    {
        Keep,
        Drop,
        End,
    }

    private static Func<object, (Verdict, T)> Filtered<T>(Func<object, T?> filter)
        where T : class => message => filter(message) is { } kept ? (Verdict.Keep, kept) : (Verdict.End, null!);

    private static Func<object, (Verdict, T)> Predicated<T>(Predicate<T> shouldContinue, bool ignoresOthers)
        where T : class => message => message is T one
            ? (shouldContinue(one) ? Verdict.Keep : Verdict.End, one)
            : (ignoresOthers ? Verdict.Drop : Verdict.End, null!);

    private async ValueTask<List<T>> TakeWhile<T>(Func<object, (Verdict, T)> judge, TimeSpan? max, TimeSpan? idle, int count, bool blocking, CancellationToken cancellation)
    {
        TimeSpan end = Now + RemainingOrDilated(max);
        TimeSpan pause = idle is { } given && given != Timeout.InfiniteTimeSpan ? given : TimeSpan.MaxValue;
        MessageEnvelope last = NullMessageEnvelope.Instance;
        var kept = new List<T>();
        while (kept.Count < count)
        {
            TimeSpan left = Left(end);
            if (await Take(left < pause ? left : pause, remove: false, blocking, cancellation) is not { } next)
                break;
            (Verdict verdict, T message) = judge(next.Message);
            if (verdict == Verdict.End)
                break;
            last = (await Take(TimeSpan.Zero, remove: true, blocking, cancellation))!;
            if (verdict == Verdict.Keep)
                kept.Add(message);
        }

        _last = last;
        _lastWasNoMessage = true;
        return kept;
    }
}
