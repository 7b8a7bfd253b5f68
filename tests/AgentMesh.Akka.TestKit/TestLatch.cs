using Akka.Actor;

namespace Akka.TestKit;

/// <summary>Opens when it was counted down as often as it was told to expect.</summary>
public class TestLatch
{
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(5);

    private readonly Func<TimeSpan, TimeSpan> _dilate;
    private readonly TimeSpan _defaultTimeout;
    private readonly CountdownEvent _countdown;

    public TestLatch()
        : this(1)
    {
    }

    public TestLatch(int count)
        : this(count, DefaultTimeout)
    {
    }

    public TestLatch(int count, TimeSpan defaultTimeout)
        : this(static time => time, defaultTimeout, count)
    {
    }

    protected TestLatch(Func<TimeSpan, TimeSpan> dilate, TimeSpan defaultTimeout, int count)
    {
        _dilate = dilate;
        _defaultTimeout = defaultTimeout;
        _countdown = new CountdownEvent(count);
    }

    public bool IsOpen => _countdown.IsSet;

    /// <exception cref="InvalidOperationException">The latch is open already.</exception>
    public void CountDown() => _countdown.Signal();

    public void Open()
    {
        while (!IsOpen)
            CountDown();
    }

    public void Reset() => _countdown.Reset();

    /// <exception cref="TimeoutException">Not open in time.</exception>
    public void Ready() => Ready(_defaultTimeout);

    /// <exception cref="TimeoutException">Not open in time.</exception>
    public void Ready(TimeSpan timeout)
    {
        if (timeout == Timeout.InfiniteTimeSpan)
            throw new ArgumentException("A latch cannot be awaited for ever", nameof(timeout));
        if (!_countdown.Wait(_dilate(timeout)))
            throw new TimeoutException($"The latch did not open within {timeout}; {_countdown.CurrentCount} of {_countdown.InitialCount} are missing");
    }

    internal static TestLatch Of(TestKitBase testKit, int count) => new(testKit.Dilated, testKit.TestKitSettings.DefaultTimeout, count);
}
