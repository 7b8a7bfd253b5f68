namespace Akka.TestKit;

/// <summary>Lets a number of threads go on together.</summary>
public class TestBarrier
{
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(5);

    private readonly TestKitBase _testKit;
    private readonly int _count;
    private readonly TimeSpan _defaultTimeout;
    private Barrier _barrier;

    public TestBarrier(TestKitBase testKit, int count, TimeSpan? defaultTimeout = null)
    {
        _testKit = testKit;
        _count = count;
        _defaultTimeout = defaultTimeout ?? testKit.TestKitSettings.DefaultTimeout;
        _barrier = new Barrier(count);
    }

    public void Await() => Await(_defaultTimeout);

    /// <exception cref="TimeoutException">The others did not come in time.</exception>
    public void Await(TimeSpan timeout)
    {
        if (!_barrier.SignalAndWait(_testKit.Dilated(timeout)))
            throw new TimeoutException($"{_barrier.ParticipantsRemaining} of {_count} did not come to the barrier within {timeout}");
    }

    public void Reset() => _barrier = new Barrier(_count);
}
