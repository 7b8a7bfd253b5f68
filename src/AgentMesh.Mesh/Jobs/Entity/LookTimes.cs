namespace AgentMesh.Mesh.Jobs.Entity;

/// <summary>
/// How often a job that is not at rest looks whether something is due: at foreseen moments exactly; whether the device came or went soon after a
/// change and ever more rarely later, so that thousands of waiting jobs cost little. Unanswered orders are repeated at growing intervals.
/// </summary>
internal sealed class LookTimes(DateTimeOffset now)
{
    private static readonly TimeSpan LookMin = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LookMax = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Soonest = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan RepeatMin = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan RepeatMax = TimeSpan.FromSeconds(2);

    // A job that has waited for 20 s looks every second.
    private const int ShareOfWait = 20;

    private DateTimeOffset _since = now;
    private DateTimeOffset _repeatAt = now;
    private TimeSpan _repeatAfter = RepeatMin;

    /// <summary>The job has changed.</summary>
    public void Restart(DateTimeOffset now)
    {
        _since = now;
        _repeatAt = now;
        _repeatAfter = RepeatMin;
    }

    /// <summary>True when an order is due; the next one then is later.</summary>
    public bool IsTimeToRepeat(DateTimeOffset now)
    {
        if (now < _repeatAt)
        {
            return false;
        }

        _repeatAt = now + _repeatAfter;
        _repeatAfter = Least(_repeatAfter + _repeatAfter, RepeatMax);
        return true;
    }

    public TimeSpan UntilNextLook(DateTimeOffset now, params ReadOnlySpan<DateTimeOffset?> foreseen)
    {
        TimeSpan share = (now - _since) / ShareOfWait;
        TimeSpan wait = share < LookMin ? LookMin : Least(share, LookMax);
        foreach (DateTimeOffset? moment in foreseen)
        {
            if (moment is { } at)
            {
                wait = Least(wait, at - now);
            }
        }

        return wait < Soonest ? Soonest : wait;
    }

    private static TimeSpan Least(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
