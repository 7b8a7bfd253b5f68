using Akka.Configuration;
using Akka.Event;

namespace Akka.Remote;

/// <summary>
/// The detector of Hayashibara et al., "The phi accrual failure detector": phi = -log10(P), where P is the probability that a heartbeat
/// comes later than now, given the intervals seen so far. Unavailable from phi = threshold on.
/// </summary>
public class PhiAccrualFailureDetector : FailureDetector
{
    private readonly double _threshold;
    private readonly int _maxSampleSize;
    private readonly double _minStdDeviation;
    private readonly double _acceptablePause;
    private readonly double _firstEstimate;
    private readonly Lock _lock = new();
    private HeartbeatHistory _history;
    private long? _latest;

    /// <param name="config">Reads <c>threshold, max-sample-size, min-std-deviation, acceptable-heartbeat-pause, heartbeat-interval</c>.</param>
    public PhiAccrualFailureDetector(Config config, EventStream ev)
        : this(
            config.GetDouble("threshold"),
            config.GetInt("max-sample-size"),
            config.GetTimeSpan("min-std-deviation"),
            config.GetTimeSpan("acceptable-heartbeat-pause"),
            config.GetTimeSpan("heartbeat-interval"))
    {
    }

    /// <param name="threshold">Typical values are 8 on a LAN, 12 on slower networks; more means slower and surer.</param>
    /// <param name="maxSampleSize">Intervals that are remembered.</param>
    /// <param name="minStdDeviation">Keeps very regular heartbeats from making the detector nervous.</param>
    /// <param name="acceptableHeartbeatPause">Added to the expected arrival; covers pauses of garbage collection and of the network.</param>
    /// <param name="firstHeartbeatEstimate">Stands for the interval before two heartbeats were seen.</param>
    public PhiAccrualFailureDetector(
        double threshold, int maxSampleSize, TimeSpan minStdDeviation, TimeSpan acceptableHeartbeatPause, TimeSpan firstHeartbeatEstimate, Clock clock = null!)
        : this(clock)
    {
        if (threshold <= 0)
            throw new ArgumentException("threshold must be above 0", nameof(threshold));
        if (maxSampleSize < 1)
            throw new ArgumentException("max-sample-size must be at least 1", nameof(maxSampleSize));
        if (minStdDeviation <= TimeSpan.Zero)
            throw new ArgumentException("min-std-deviation must be above 0", nameof(minStdDeviation));
        if (acceptableHeartbeatPause < TimeSpan.Zero)
            throw new ArgumentException("acceptable-heartbeat-pause must not be negative", nameof(acceptableHeartbeatPause));
        if (firstHeartbeatEstimate <= TimeSpan.Zero)
            throw new ArgumentException("heartbeat-interval must be above 0", nameof(firstHeartbeatEstimate));
        _threshold = threshold;
        _maxSampleSize = maxSampleSize;
        _minStdDeviation = minStdDeviation.TotalMilliseconds;
        _acceptablePause = acceptableHeartbeatPause.TotalMilliseconds;
        _firstEstimate = firstHeartbeatEstimate.TotalMilliseconds;
        _history = FirstHistory();
    }

    protected PhiAccrualFailureDetector(Clock clock)
    {
        _history = new HeartbeatHistory(1);
        Address = "N/A";
        if (clock is not null)
            TimeSource = clock;
    }

    /// <summary>Whom the heartbeats come from; for logs.</summary>
    public string Address { get; set; }

    public override bool IsAvailable
    {
        get
        {
            lock (_lock)
                return IsAvailableAt(TimeSource());
        }
    }

    public override bool IsMonitoring
    {
        get
        {
            lock (_lock)
                return _latest is not null;
        }
    }

    /// <summary>The suspicion now; 0 before the first heartbeat.</summary>
    internal double CurrentPhi
    {
        get
        {
            lock (_lock)
                return PhiAt(TimeSource());
        }
    }

    public override void HeartBeat()
    {
        lock (_lock)
        {
            long now = TimeSource();
            if (_latest is not { } latest)
                _history = FirstHistory();
            else if (IsAvailableAt(now))
                // The pause of a failure is no interval: it would blunt the detector for a long time.
                _history.Add(now - latest);
            _latest = now;
        }
    }

    internal static double Phi(double sinceLast, double mean, double stdDeviation)
    {
        // Logistic approximation of the cumulative normal distribution; the two branches keep precision on both sides of the mean.
        double y = (sinceLast - mean) / stdDeviation;
        double e = Math.Exp(-y * (1.5976 + (0.070566 * y * y)));
        return sinceLast > mean ? -Math.Log10(e / (1 + e)) : -Math.Log10(1 - (1 / (1 + e)));
    }

    private bool IsAvailableAt(long now) => PhiAt(now) < _threshold;

    private double PhiAt(long now) => _latest is not { } latest
        ? 0
        : Phi(now - latest, _history.Mean + _acceptablePause, Math.Max(_history.StdDeviation, _minStdDeviation));

    private HeartbeatHistory FirstHistory()
    {
        // Two samples around the estimate give it a generous deviation of a quarter.
        HeartbeatHistory history = new(Math.Max(2, _maxSampleSize));
        history.Add(_firstEstimate * 0.75);
        history.Add(_firstEstimate * 1.25);
        return history;
    }
}
