namespace Akka.Actor;

/// <summary>Calls off scheduled work. Safe from any thread; cancelling again does nothing.</summary>
public class Cancelable : ICancelable, IDisposable
{
    private readonly IActionScheduler _scheduler;
    private readonly CancellationTokenSource _source;
    private bool _disposed;

    public Cancelable(IScheduler scheduler)
        : this(scheduler.Advanced)
    {
    }

    public Cancelable(IActionScheduler scheduler)
        : this(scheduler, new CancellationTokenSource())
    {
    }

    /// <summary>Cancels itself after the delay.</summary>
    public Cancelable(IScheduler scheduler, TimeSpan delay)
        : this(scheduler.Advanced, delay)
    {
    }

    public Cancelable(IScheduler scheduler, int millisecondsDelay)
        : this(scheduler.Advanced, TimeSpan.FromMilliseconds(millisecondsDelay))
    {
    }

    public Cancelable(IActionScheduler scheduler, TimeSpan delay)
        : this(scheduler) => CancelAfter(delay);

    private Cancelable(IActionScheduler scheduler, CancellationTokenSource source)
    {
        _scheduler = scheduler;
        _source = source;
    }

    public bool IsCancellationRequested => _source.IsCancellationRequested;

    public bool IsDisposed => Volatile.Read(ref _disposed);

    public CancellationToken Token => _source.Token;

    public static ICancelable CreateCanceled() => AlreadyCanceled.Instance;

    /// <summary>Cancelled as soon as one of the others is.</summary>
    public static ICancelable CreateLinkedCancelable(IScheduler scheduler, params ICancelable[] cancelables) => CreateLinkedCancelable(scheduler.Advanced, cancelables);

    public static ICancelable CreateLinkedCancelable(IActionScheduler scheduler, params ICancelable[] cancelables) =>
        CreateLinkedCancelable(scheduler, Array.ConvertAll(cancelables, static c => c.Token));

    public static ICancelable CreateLinkedCancelable(IScheduler scheduler, params CancellationToken[] cancellationTokens) =>
        CreateLinkedCancelable(scheduler.Advanced, cancellationTokens);

    public static ICancelable CreateLinkedCancelable(IActionScheduler scheduler, params CancellationToken[] cancellationTokens) =>
        new Cancelable(scheduler, CancellationTokenSource.CreateLinkedTokenSource(cancellationTokens));

    public void Cancel() => Cancel(throwOnFirstException: false);

    public void Cancel(bool throwOnFirstException)
    {
        if (!IsDisposed)
            _source.Cancel(throwOnFirstException);
    }

    public void CancelAfter(TimeSpan delay)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
        if (delay == TimeSpan.Zero)
            Cancel();
        else
            _scheduler.ScheduleOnce(delay, Cancel, this);
    }

    public void CancelAfter(int millisecondsDelay) => CancelAfter(TimeSpan.FromMilliseconds(millisecondsDelay));

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        Volatile.Write(ref _disposed, true);
        if (disposing)
            _source.Dispose();
    }

    private sealed class AlreadyCanceled : ICancelable
    {
        public static readonly AlreadyCanceled Instance = new();

        public bool IsCancellationRequested => true;

        public CancellationToken Token => new(canceled: true);

        public void Cancel()
        {
        }

        public void Cancel(bool throwOnFirstException)
        {
        }

        public void CancelAfter(TimeSpan delay)
        {
        }

        public void CancelAfter(int millisecondsDelay)
        {
        }
    }
}
