namespace Akka.Remote;

/// <summary>Milliseconds that never go back, from an arbitrary start.</summary>
public delegate long Clock();

/// <summary>Says whether something that sends heartbeats is probably alive. Thread-safe.</summary>
public abstract class FailureDetector
{
    public static readonly Clock DefaultClock = ClockOf(TimeProvider.System);

    /// <summary>True while nothing speaks against it: before the first heartbeat as well.</summary>
    public abstract bool IsAvailable { get; }

    /// <summary>True from the first heartbeat on.</summary>
    public abstract bool IsMonitoring { get; }

    internal Clock TimeSource { get; set; } = DefaultClock;

    /// <summary>A heartbeat came in.</summary>
    public abstract void HeartBeat();

    internal static Clock ClockOf(TimeProvider time)
    {
        long frequency = time.TimestampFrequency;
        return () => (long)((Int128)time.GetTimestamp() * 1000 / frequency);
    }
}
