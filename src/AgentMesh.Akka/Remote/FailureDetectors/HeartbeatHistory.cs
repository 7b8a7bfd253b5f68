namespace Akka.Remote;

/// <summary>The last intervals between heartbeats, in milliseconds, with their mean and deviation kept up to date.</summary>
internal sealed class HeartbeatHistory(int maxSampleSize)
{
    private readonly double[] _intervals = new double[maxSampleSize];
    private int _next;
    private double _sum;
    private double _squaredSum;

    public int Count { get; private set; }

    public double Mean => _sum / Count;

    public double StdDeviation => Math.Sqrt(Math.Max(0, (_squaredSum / Count) - (Mean * Mean)));

    public void Add(double interval)
    {
        if (Count == _intervals.Length)
        {
            double oldest = _intervals[_next];
            _sum -= oldest;
            _squaredSum -= oldest * oldest;
        }
        else
        {
            Count++;
        }

        _intervals[_next] = interval;
        _next = (_next + 1) % _intervals.Length;
        _sum += interval;
        _squaredSum += interval * interval;
    }
}
