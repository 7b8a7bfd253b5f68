using Akka.Configuration;
using Akka.Event;

namespace Akka.Remote;

/// <summary>Unavailable when no heartbeat came for the heartbeat interval plus the acceptable pause.</summary>
public class DeadlineFailureDetector : FailureDetector
{
    private readonly long _deadlineMillis;
    private long _lastHeartbeat;
    private volatile bool _monitoring;

    /// <param name="config">Reads <c>acceptable-heartbeat-pause</c> and <c>heartbeat-interval</c>.</param>
    public DeadlineFailureDetector(Config config, EventStream eventStream)
        : this(config.GetTimeSpan("acceptable-heartbeat-pause"), config.GetTimeSpan("heartbeat-interval"))
    {
    }

    public DeadlineFailureDetector(TimeSpan acceptableHeartbeatPause, Clock clock = null!)
        : this(acceptableHeartbeatPause, TimeSpan.Zero, clock)
    {
    }

    public DeadlineFailureDetector(TimeSpan acceptableHeartbeatPause, TimeSpan heartbeatInterval, Clock clock = null!)
    {
        if (acceptableHeartbeatPause < TimeSpan.Zero || heartbeatInterval < TimeSpan.Zero || acceptableHeartbeatPause + heartbeatInterval == TimeSpan.Zero)
            throw new ArgumentException("acceptable-heartbeat-pause and heartbeat-interval must not be negative and not both zero");
        _deadlineMillis = (long)(acceptableHeartbeatPause + heartbeatInterval).TotalMilliseconds;
        if (clock is not null)
            TimeSource = clock;
    }

    public override bool IsAvailable => !_monitoring || TimeSource() - Interlocked.Read(ref _lastHeartbeat) < _deadlineMillis;

    public override bool IsMonitoring => _monitoring;

    public override void HeartBeat()
    {
        Interlocked.Exchange(ref _lastHeartbeat, TimeSource());
        _monitoring = true;
    }
}
