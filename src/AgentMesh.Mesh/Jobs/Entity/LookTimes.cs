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
    private long _aheadSince;
    private TimeSpan? _ahead;

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

    /// <summary>It looks now, or there is nothing to look for: no look is ahead any more.</summary>
    public void Looks() => _ahead = null;

    /// <param name="isCalled">Somebody tells when the device is there.</param>
    /// <param name="foreseen">How long until something is due; null for nothing.</param>
    /// <returns>Null where a look is ahead that comes as soon: whoever asks again and again would put it off for as long as he asks.</returns>
    public TimeSpan? UntilNextLook(bool isCalled, params ReadOnlySpan<TimeSpan?> foreseen)
    {
        TimeSpan share = time.GetElapsedTime(_since) / ShareOfWait;
        TimeSpan wait = isCalled ? LookWhenCalled : share < LookMin ? LookMin : Least(share, LookMax);
        foreach (TimeSpan? until in foreseen)
        {
            wait = Least(wait, until ?? wait);
        }

        wait = wait < Soonest ? Soonest : wait;
        if (_ahead is { } ahead && ahead - time.GetElapsedTime(_aheadSince) <= wait)
        {
            return null;
        }

        _ahead = wait;
        _aheadSince = time.GetTimestamp();
        return wait;
    }

    private static TimeSpan Least(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
