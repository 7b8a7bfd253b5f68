using Akka.Actor;
using Akka.Util;

namespace Akka.Pattern;

/// <summary>
/// Keeps callers from waiting for something that is broken. Closed: calls go through; after <see cref="MaxFailures"/> failures in a row it
/// opens. Open: calls fail at once. After the reset time it is half open: one call is let through, and decides.
/// </summary>
public class CircuitBreaker
{
    private readonly object _gate = new();
    private readonly List<Action> _onOpen = [];
    private readonly List<Action> _onHalfOpen = [];
    private readonly List<Action> _onClose = [];
    private State _state = State.Closed;
    private int _failures;
    private bool _trying;
    private TimeSpan _currentReset;
    private TimeSpan _openUntil;
    private Exception? _lastFailure;

    public CircuitBreaker(IScheduler scheduler, int maxFailures, TimeSpan callTimeout, TimeSpan resetTimeout)
        : this(scheduler, maxFailures, callTimeout, resetTimeout, TimeSpan.FromDays(36500), 1.0, 0.0)
    {
    }

    public CircuitBreaker(IScheduler scheduler, int maxFailures, TimeSpan callTimeout, TimeSpan resetTimeout, TimeSpan maxResetTimeout, double exponentialBackoffFactor)
        : this(scheduler, maxFailures, callTimeout, resetTimeout, maxResetTimeout, exponentialBackoffFactor, 0.0)
    {
    }

    /// <param name="callTimeout">A call that takes longer counts as a failure.</param>
    /// <param name="exponentialBackoffFactor">The reset time grows by it each time the trial call fails.</param>
    /// <param name="randomFactor">0 to 1: the part of the reset time that is added at random.</param>
    public CircuitBreaker(IScheduler scheduler, int maxFailures, TimeSpan callTimeout, TimeSpan resetTimeout, TimeSpan maxResetTimeout, double exponentialBackoffFactor, double randomFactor)
    {
        if (exponentialBackoffFactor < 1.0)
            throw new ArgumentException("The factor of the exponential back-off must be at least 1", nameof(exponentialBackoffFactor));
        if (randomFactor is < 0.0 or > 1.0)
            throw new ArgumentException("The random factor must be from 0 to 1", nameof(randomFactor));
        Scheduler = scheduler;
        MaxFailures = maxFailures;
        CallTimeout = callTimeout;
        ResetTimeout = resetTimeout;
        MaxResetTimeout = maxResetTimeout;
        ExponentialBackoffFactor = exponentialBackoffFactor;
        RandomFactor = randomFactor;
        _currentReset = resetTimeout;
    }

    private enum State
    {
        Closed,
        HalfOpen,
        Open,
    }

    public IScheduler Scheduler { get; }

    public int MaxFailures { get; }

    public TimeSpan CallTimeout { get; }

    public TimeSpan ResetTimeout { get; }

    public TimeSpan MaxResetTimeout { get; }

    public double ExponentialBackoffFactor { get; }

    public double RandomFactor { get; }

    public Exception LastCaughtException => Volatile.Read(ref _lastFailure)!;

    public long CurrentFailureCount => Volatile.Read(ref _failures);

    public bool IsClosed => Is(State.Closed);

    public bool IsHalfOpen => Is(State.HalfOpen);

    public bool IsOpen => Is(State.Open);

    public static CircuitBreaker Create(IScheduler scheduler, int maxFailures, TimeSpan callTimeout, TimeSpan resetTimeout) =>
        new(scheduler, maxFailures, callTimeout, resetTimeout);

    public CircuitBreaker WithExponentialBackoff(TimeSpan maxResetTimeout) =>
        new(Scheduler, MaxFailures, CallTimeout, ResetTimeout, maxResetTimeout, 2.0, RandomFactor);

    public CircuitBreaker WithRandomFactor(double randomFactor) =>
        new(Scheduler, MaxFailures, CallTimeout, ResetTimeout, MaxResetTimeout, ExponentialBackoffFactor, randomFactor);

    public CircuitBreaker OnOpen(Action callback) => Add(_onOpen, callback);

    public CircuitBreaker OnHalfOpen(Action callback) => Add(_onHalfOpen, callback);

    public CircuitBreaker OnClose(Action callback) => Add(_onClose, callback);

    /// <returns>Fails with <see cref="OpenCircuitException"/> when open, with <see cref="TimeoutException"/> when the call takes too long.</returns>
    public Task<T> WithCircuitBreaker<T>(Func<Task<T>> body) => WithCircuitBreaker(body, static run => run());

    /// <inheritdoc cref="WithCircuitBreaker{T}(Func{Task{T}})"/>
    public async Task<T> WithCircuitBreaker<T, TState>(TState state, Func<TState, Task<T>> body)
    {
        Enter();
        try
        {
            T result = await Limit(body(state)).ConfigureAwait(false);
            Succeed();
            return result;
        }
        catch (Exception e)
        {
            Failed(e);
            throw;
        }
    }

    /// <inheritdoc cref="WithCircuitBreaker{T}(Func{Task{T}})"/>
    public Task WithCircuitBreaker(Func<Task> body) => WithCircuitBreaker(body, static run => run());

    /// <inheritdoc cref="WithCircuitBreaker{T}(Func{Task{T}})"/>
    public Task WithCircuitBreaker<TState>(TState state, Func<TState, Task> body) => WithCircuitBreaker((state, body), static async call =>
    {
        await call.body(call.state).ConfigureAwait(false);
        return Done.Instance;
    });

    /// <summary>Runs on this thread; too slow counts as a failure, but is not interrupted.</summary>
    public void WithSyncCircuitBreaker(Action body) => WithSyncCircuitBreaker(() =>
    {
        body();
        return Done.Instance;
    });

    /// <inheritdoc cref="WithSyncCircuitBreaker(Action)"/>
    public T WithSyncCircuitBreaker<T>(Func<T> body)
    {
        Enter();
        TimeSpan start = Scheduler.MonotonicClock;
        try
        {
            T result = body();
            if (CallTimeout > TimeSpan.Zero && Scheduler.MonotonicClock - start > CallTimeout)
                Failed(new TimeoutException($"The call took longer than {CallTimeout}"));
            else
                Succeed();
            return result;
        }
        catch (Exception e)
        {
            Failed(e);
            throw;
        }
    }

    /// <summary>Counts a success of a call that was made without the breaker.</summary>
    public void Succeed()
    {
        lock (_gate)
        {
            if (_state == State.Open)
                return;
            _failures = 0;
            _trying = false;
            if (_state == State.Closed)
                return;
            _state = State.Closed;
            _currentReset = ResetTimeout;
        }

        Tell(_onClose);
    }

    /// <summary>Counts a failure of a call that was made without the breaker.</summary>
    public void Fail() => Failed(new UserCalledFailException());

    private bool Is(State state)
    {
        lock (_gate)
            return _state == state;
    }

    private CircuitBreaker Add(List<Action> listeners, Action callback)
    {
        lock (_gate)
            listeners.Add(callback);
        return this;
    }

    private void Enter()
    {
        lock (_gate)
        {
            if (_state == State.Closed)
                return;
            if (_state == State.HalfOpen && !_trying)
            {
                _trying = true;
                return;
            }

            TimeSpan left = _state == State.Open ? _openUntil - Scheduler.MonotonicClock : TimeSpan.Zero;
            throw new OpenCircuitException(_lastFailure!, left > TimeSpan.Zero ? left : TimeSpan.Zero);
        }
    }

    private void Failed(Exception cause)
    {
        TimeSpan reset;
        lock (_gate)
        {
            _lastFailure = cause;
            if (_state == State.Open)
                return;
            _failures++;
            _trying = false;
            if (_state == State.Closed && _failures < MaxFailures)
                return;
            if (_state == State.HalfOpen)
                _currentReset = TimeSpan.FromTicks((long)Math.Min(MaxResetTimeout.Ticks, _currentReset.Ticks * ExponentialBackoffFactor));
            _state = State.Open;
            reset = _currentReset + (_currentReset * (ThreadLocalRandom.Current.NextDouble() * RandomFactor));
            _openUntil = Scheduler.MonotonicClock + reset;
        }

        Tell(_onOpen);
        Scheduler.Advanced.ScheduleOnce(reset, TryAgain);
    }

    private void TryAgain()
    {
        lock (_gate)
        {
            if (_state != State.Open)
                return;
            _state = State.HalfOpen;
            _trying = false;
        }

        Tell(_onHalfOpen);
    }

    private void Tell(List<Action> listeners)
    {
        Action[] present;
        lock (_gate)
            present = [.. listeners];
        foreach (Action listener in present)
            _ = Task.Run(listener);
    }

    /// <summary>The call goes on when it is late, but nobody waits for it any more.</summary>
    private async Task<T> Limit<T>(Task<T> call)
    {
        if (call.IsCompleted || CallTimeout <= TimeSpan.Zero)
            return await call.ConfigureAwait(false);
        var late = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var timer = new Cancelable(Scheduler);
        Scheduler.Advanced.ScheduleOnce(CallTimeout, () => late.TrySetException(new TimeoutException($"The call took longer than {CallTimeout}")), timer);
        Task<T> first = await Task.WhenAny(call, late.Task).ConfigureAwait(false);
        timer.Cancel();
        if (first != call)
            _ = call.ContinueWith(static t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return await first.ConfigureAwait(false);
    }
}
