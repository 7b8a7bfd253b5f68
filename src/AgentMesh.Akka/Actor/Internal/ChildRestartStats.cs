namespace Akka.Actor.Internal;

/// <summary>What a supervisor knows of a child by name.</summary>
public interface IChildStats
{
}

/// <summary>A name that is taken while the child is being made.</summary>
public class ChildNameReserved : IChildStats
{
    private ChildNameReserved()
    {
    }

    public static ChildNameReserved Instance { get; } = new();

    public override string ToString() => "Name";
}

/// <summary>A child and how often it was restarted.</summary>
public class ChildRestartStats : IChildStats
{
    public ChildRestartStats(IInternalActorRef child, uint maxNrOfRetriesCount = 0, long restartTimeWindowStartTicks = 0)
    {
        Child = child;
        MaxNrOfRetriesCount = maxNrOfRetriesCount;
        RestartTimeWindowStartTicks = restartTimeWindowStartTicks;
    }

    public long Uid => Child.Path.Uid;

    public IInternalActorRef Child { get; }

    public uint MaxNrOfRetriesCount { get; private set; }

    /// <summary>0 before the first restart.</summary>
    public long RestartTimeWindowStartTicks { get; private set; }

    internal TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Counts one restart.</summary>
    /// <param name="maxNrOfRetries">Negative: no limit; but with a time range alone, one restart in the range is allowed.</param>
    /// <param name="withinTimeMilliseconds">0 or less: all time.</param>
    /// <returns>False when the limit is reached.</returns>
    public bool RequestRestartPermission(int maxNrOfRetries, int withinTimeMilliseconds)
    {
        if (maxNrOfRetries == 0)
            return false;
        bool limited = maxNrOfRetries > 0, ranged = withinTimeMilliseconds > 0;
        if (!limited && !ranged)
            return true;
        if (!ranged)
            return ++MaxNrOfRetriesCount <= (uint)maxNrOfRetries;
        return PermittedInRange(limited ? (uint)maxNrOfRetries : 1, withinTimeMilliseconds);
    }

    private bool PermittedInRange(uint limit, int withinTimeMilliseconds)
    {
        long now = Math.Max(1, Clock.GetUtcNow().UtcTicks);
        if (RestartTimeWindowStartTicks == 0)
            RestartTimeWindowStartTicks = now;
        if (now - RestartTimeWindowStartTicks <= withinTimeMilliseconds * TimeSpan.TicksPerMillisecond)
            return ++MaxNrOfRetriesCount <= limit;

        // The range is over: this restart opens the next one.
        MaxNrOfRetriesCount = 1;
        RestartTimeWindowStartTicks = now;
        return true;
    }
}
