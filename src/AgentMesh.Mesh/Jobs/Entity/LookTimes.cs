namespace AgentMesh.Mesh.Jobs.Entity;

/// <summary>
/// How often a job that is not at rest looks whether something is due: at foreseen moments exactly; whether the device came or went soon after a
/// change and ever more rarely later, so that thousands of waiting jobs cost little. Unanswered orders are repeated at growing intervals. It goes by the
/// time that passes, whatever the clock shows.
/// </summary>
internal sealed class LookTimes(TimeProvider time)
{
    private static readonly TimeSpan LookMin = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LookMax = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LookWhenCalled = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Soonest = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan RepeatMin = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan RepeatMax = TimeSpan.FromSeconds(2);

    // A job that has waited for 20 s looks every second.
    private const int ShareOfWait = 20;

    private long _since = time.GetTimestamp();
    private long _toldAt;
    private TimeSpan? _repeatAfter;

    /// <summary>The job has changed.</summary>
    public void Restart()
    {
        _since = time.GetTimestamp();
        _repeatAfter = null;
    }

    /// <summary>True when an order is due; the next one then is later.</summary>
    public bool IsTimeToRepeat()
    {
        if (time.GetElapsedTime(_toldAt) < _repeatAfter)
        {
            return false;
        }

        _toldAt = time.GetTimestamp();
        _repeatAfter = _repeatAfter is { } before ? Least(before + before, RepeatMax) : RepeatMin;
        return true;
    }

    /// <param name="isCalled">Somebody tells when the device is there.</param>
    /// <param name="foreseen">How long until something is due; null for nothing.</param>
    public TimeSpan UntilNextLook(bool isCalled, params ReadOnlySpan<TimeSpan?> foreseen)
    {
        TimeSpan share = time.GetElapsedTime(_since) / ShareOfWait;
        TimeSpan wait = isCalled ? LookWhenCalled : share < LookMin ? LookMin : Least(share, LookMax);
        foreach (TimeSpan? until in foreseen)
        {
            wait = Least(wait, until ?? wait);
        }

        return wait < Soonest ? Soonest : wait;
    }

    private static TimeSpan Least(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
