using Akka.Actor;
using Akka.Event;
using Akka.TestKit.TestEvent;

namespace Akka.TestKit.Internal;

public class InternalEventFilterApplier : IEventFilterApplier
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);

    private readonly TestKitBase _testkit;
    private readonly ActorSystem _system;
    private readonly IReadOnlyList<EventFilterBase> _filters;

    public InternalEventFilterApplier(TestKitBase testkit, ActorSystem system, IReadOnlyList<EventFilterBase> filters)
    {
        _testkit = testkit;
        _system = system;
        _filters = filters;
    }

    public EventFilterFactory And => new(_testkit, _system, _filters);

    public void Expect(int expectedCount, Action action, CancellationToken cancellationToken = default) => Run(expectedCount, null, action, cancellationToken);

    public void Expect(int expectedCount, TimeSpan timeout, Action action, CancellationToken cancellationToken = default) => Run(expectedCount, timeout, action, cancellationToken);

    public T Expect<T>(int expectedCount, Func<T> func, CancellationToken cancellationToken = default) => Run(expectedCount, null, func, cancellationToken);

    public T Expect<T>(int expectedCount, TimeSpan timeout, Func<T> func, CancellationToken cancellationToken = default) => Run(expectedCount, timeout, func, cancellationToken);

    public Task ExpectAsync(int expectedCount, Func<Task> actionAsync, CancellationToken cancellationToken = default) => RunAsync(expectedCount, null, actionAsync, cancellationToken);

    public Task ExpectAsync(int expectedCount, Func<Task> actionAsync, TimeSpan? timeout, CancellationToken cancellationToken = default) => RunAsync(expectedCount, timeout, actionAsync, cancellationToken);

    public Task ExpectAsync(int expectedCount, TimeSpan timeout, Action action, CancellationToken cancellationToken = default) => RunAsync(expectedCount, timeout, Later(action), cancellationToken);

    public Task ExpectAsync(int expectedCount, TimeSpan timeout, Func<Task> action, CancellationToken cancellationToken = default) => RunAsync(expectedCount, timeout, action, cancellationToken);

    public Task<T> ExpectAsync<T>(int expectedCount, Func<Task<T>> func, CancellationToken cancellationToken = default) => RunAsync(expectedCount, null, func, cancellationToken);

    public Task<T> ExpectAsync<T>(int expectedCount, TimeSpan timeout, Func<Task<T>> func, CancellationToken cancellationToken = default) => RunAsync(expectedCount, timeout, func, cancellationToken);

    public void ExpectOne(Action action, CancellationToken cancellationToken = default) => Run(1, null, action, cancellationToken);

    public void ExpectOne(TimeSpan timeout, Action action, CancellationToken cancellationToken = default) => Run(1, timeout, action, cancellationToken);

    public T ExpectOne<T>(Func<T> func, CancellationToken cancellationToken = default) => Run(1, null, func, cancellationToken);

    public T ExpectOne<T>(TimeSpan timeout, Func<T> func, CancellationToken cancellationToken = default) => Run(1, timeout, func, cancellationToken);

    public Task ExpectOneAsync(Action action, CancellationToken cancellationToken = default) => RunAsync(1, null, Later(action), cancellationToken);

    public Task ExpectOneAsync(Func<Task> action, CancellationToken cancellationToken = default) => RunAsync(1, null, action, cancellationToken);

    public Task ExpectOneAsync(TimeSpan timeout, Func<Task> action, CancellationToken cancellationToken = default) => RunAsync(1, timeout, action, cancellationToken);

    public Task<T> ExpectOneAsync<T>(Func<Task<T>> func, CancellationToken cancellationToken = default) => RunAsync(1, null, func, cancellationToken);

    public Task<T> ExpectOneAsync<T>(TimeSpan timeout, Func<Task<T>> func, CancellationToken cancellationToken = default) => RunAsync(1, timeout, func, cancellationToken);

    public void Mute(Action action, CancellationToken cancellationToken = default) => Run(null, null, action, cancellationToken);

    public T Mute<T>(Func<T> func, CancellationToken cancellationToken = default) => Run(null, null, func, cancellationToken);

    public Task MuteAsync(Action action, CancellationToken cancellationToken = default) => RunAsync(null, null, Later(action), cancellationToken);

    public Task MuteAsync(Func<Task> action, CancellationToken cancellationToken = default) => RunAsync(null, null, action, cancellationToken);

    public Task<T> MuteAsync<T>(Func<Task<T>> func, CancellationToken cancellationToken = default) => RunAsync(null, null, func, cancellationToken);

    public IUnmutableFilter Mute()
    {
        _system.EventStream.Publish(new Mute(_filters));
        return new InternalUnmutableFilter(_filters, _system);
    }

    private static Func<Task> Later(Action action) => () =>
    {
        action();
        return Task.CompletedTask;
    };

    private void Run(int? expected, TimeSpan? timeout, Action action, CancellationToken cancellation) => Run(expected, timeout, () =>
    {
        action();
        return true;
    }, cancellation);

    private T Run<T>(int? expected, TimeSpan? timeout, Func<T> func, CancellationToken cancellation) =>
        Intercept(() => new ValueTask<T>(func()), expected, timeout, blocking: true, cancellation).GetAwaiter().GetResult();

    private Task RunAsync(int? expected, TimeSpan? timeout, Func<Task> action, CancellationToken cancellation) => RunAsync(expected, timeout, async () =>
    {
        await action();
        return true;
    }, cancellation);

    private Task<T> RunAsync<T>(int? expected, TimeSpan? timeout, Func<Task<T>> func, CancellationToken cancellation) =>
        Intercept(() => new ValueTask<T>(func()), expected, timeout, blocking: false, cancellation).AsTask();

    private async ValueTask<T> Intercept<T>(Func<ValueTask<T>> func, int? expected, TimeSpan? timeout, bool blocking, CancellationToken cancellation)
    {
        var handler = new MatchedEventHandler();
        foreach (EventFilterBase filter in _filters)
            filter.EventMatched += handler.HandleEvent;
        _system.EventStream.Publish(new Mute(_filters));
        try
        {
            T result = await func();
            if (expected is { } count)
            {
                TimeSpan leeway = timeout is { } given ? _testkit.Dilated(given) : _testkit.Dilated(_testkit.TestKitSettings.TestEventFilterLeeway);
                await Waiting.Until(() => handler.ReceivedCount >= Math.Max(count, 1), leeway, Interval, blocking, cancellation);
                if (handler.ReceivedCount != count)
                    Fail(count, handler.ReceivedCount, leeway);
            }

            return result;
        }
        finally
        {
            _system.EventStream.Publish(new Unmute(_filters));
            foreach (EventFilterBase filter in _filters)
                filter.EventMatched -= handler.HandleEvent;
        }
    }

    private void Fail(int expected, int received, TimeSpan leeway) =>
        _testkit.Assertions.Fail($"Expected {expected} log events but saw {received} within {leeway}: {string.Join(" or ", _filters)}");

    protected class MatchedEventHandler
    {
        private int _received;

        public MatchedEventHandler()
        {
        }

        public int ReceivedCount => Volatile.Read(ref _received);

        public virtual void HandleEvent(EventFilterBase eventFilter, LogEvent logEvent) => Interlocked.Increment(ref _received);
    }

    protected class InternalUnmutableFilter : IUnmutableFilter
    {
        private readonly IReadOnlyCollection<EventFilterBase> _filters;
        private ActorSystem? _system;

        public InternalUnmutableFilter(IReadOnlyCollection<EventFilterBase> filters, ActorSystem system)
        {
            _filters = filters;
            _system = system;
        }

        public void Unmute() => Interlocked.Exchange(ref _system, null)?.EventStream.Publish(new Unmute(_filters));

        public void Dispose()
        {
            Dispose(disposing: true);
            GC.SuppressFinalize(this);
        }

        protected virtual void Dispose(bool disposing)
        {
            if (disposing)
                Unmute();
        }
    }
}
