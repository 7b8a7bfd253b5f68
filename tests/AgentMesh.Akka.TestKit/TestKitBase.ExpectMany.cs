namespace Akka.TestKit;

/// <summary>Expecting several messages in any order, or one of several.</summary>
public abstract partial class TestKitBase
{
    /// <summary>As many messages come as are given, each given one is among them, and no other is.</summary>
    public IReadOnlyCollection<T> ExpectMsgAllOf<T>(params T[] messages) => ExpectMsgAllOf((IReadOnlyCollection<T>)messages);

    public IReadOnlyCollection<T> ExpectMsgAllOf<T>(TimeSpan max, params T[] messages) => ExpectMsgAllOf(max, (IReadOnlyCollection<T>)messages);

    public IReadOnlyCollection<T> ExpectMsgAllOf<T>(IReadOnlyCollection<T> messages, CancellationToken cancellationToken = default) =>
        ExpectAll(messages, RemainingOrDefault, blocking: true, cancellationToken).GetAwaiter().GetResult();

    public IReadOnlyCollection<T> ExpectMsgAllOf<T>(TimeSpan max, IReadOnlyCollection<T> messages, CancellationToken cancellationToken = default) =>
        ExpectAll(messages, Dilated(max), blocking: true, cancellationToken).GetAwaiter().GetResult();

    public IAsyncEnumerable<T> ExpectMsgAllOfAsync<T>(IReadOnlyCollection<T> messages, CancellationToken cancellationToken = default) =>
        Each(() => ExpectAll(messages, RemainingOrDefault, blocking: false, cancellationToken), cancellationToken);

    public IAsyncEnumerable<T> ExpectMsgAllOfAsync<T>(TimeSpan max, IReadOnlyCollection<T> messages, CancellationToken cancellationToken = default) =>
        Each(() => ExpectAll(messages, Dilated(max), blocking: false, cancellationToken), cancellationToken);

    /// <summary>As many messages come as there are predicates, each fits one that no other was counted for.</summary>
    public IReadOnlyCollection<object> ExpectMsgAllOfMatchingPredicates(params PredicateInfo[] predicates) =>
        ExpectMsgAllOfMatchingPredicates(predicates, default);

    public IReadOnlyCollection<object> ExpectMsgAllOfMatchingPredicates(TimeSpan max, params PredicateInfo[] predicates) =>
        ExpectMsgAllOfMatchingPredicates(max, predicates, default);

    public IReadOnlyCollection<object> ExpectMsgAllOfMatchingPredicates(IReadOnlyCollection<PredicateInfo> predicates, CancellationToken cancellationToken) =>
        ExpectMatching(predicates, RemainingOrDefault, blocking: true, cancellationToken).GetAwaiter().GetResult();

    public IReadOnlyCollection<object> ExpectMsgAllOfMatchingPredicates(TimeSpan max, IReadOnlyCollection<PredicateInfo> predicates, CancellationToken cancellationToken) =>
        ExpectMatching(predicates, Dilated(max), blocking: true, cancellationToken).GetAwaiter().GetResult();

    public IAsyncEnumerable<object> ExpectMsgAllOfMatchingPredicatesAsync(IReadOnlyCollection<PredicateInfo> predicates, CancellationToken cancellationToken = default) =>
        Each(() => ExpectMatching(predicates, RemainingOrDefault, blocking: false, cancellationToken), cancellationToken);

    public IAsyncEnumerable<object> ExpectMsgAllOfMatchingPredicatesAsync(TimeSpan max, IReadOnlyCollection<PredicateInfo> predicates, CancellationToken cancellationToken = default) =>
        Each(() => ExpectMatching(predicates, Dilated(max), blocking: false, cancellationToken), cancellationToken);

    /// <summary>The next message equals one of these.</summary>
    public T ExpectMsgAnyOf<T>(IEnumerable<T> messages, CancellationToken cancellationToken = default) =>
        ExpectAny(messages, blocking: true, cancellationToken).GetAwaiter().GetResult();

    public ValueTask<T> ExpectMsgAnyOfAsync<T>(IEnumerable<T> messages, CancellationToken cancellationToken = default) =>
        ExpectAny(messages, blocking: false, cancellationToken);

    private async ValueTask<List<T>> ExpectAll<T>(IReadOnlyCollection<T> expected, TimeSpan max, bool blocking, CancellationToken cancellation)
    {
        List<object> got = await TakeMany(expected.Count, max, blocking, cancellation);
        List<T> missing = [.. expected.Where(one => !got.Contains(one!))];
        List<object> unexpected = [.. got.Where(one => one is not T message || !expected.Contains(message))];
        if (missing.Count > 0 || unexpected.Count > 0)
            _assertions.Fail($"Not found: {Listed(missing)}; not expected: {Listed(unexpected)}");
        return [.. got.Cast<T>()];
    }

    private async ValueTask<List<object>> ExpectMatching(IReadOnlyCollection<PredicateInfo> predicates, TimeSpan max, bool blocking, CancellationToken cancellation)
    {
        List<object> got = await TakeMany(predicates.Count, max, blocking, cancellation);
        List<PredicateInfo> open = [.. predicates];
        List<object> unexpected = [.. got.Where(one => open.FindIndex(each => each.Fits(one)) is var at && (at < 0 || !Used(at)))];
        if (unexpected.Count > 0)
            _assertions.Fail($"Not found: {Listed(open)}; not expected: {Listed(unexpected)}");
        return got;

        bool Used(int at)
        {
            open.RemoveAt(at);
            return true;
        }
    }

    private async ValueTask<T> ExpectAny<T>(IEnumerable<T> messages, bool blocking, CancellationToken cancellation)
    {
        T[] expected = [.. messages];
        return await Expect<T>(null, one => _assertions.AssertTrue(expected.Contains(one), $"Expected one of {Listed(expected)}, but got {one}"), null, null, blocking, cancellation);
    }
}
