using AgentMesh.Node.Control;

namespace AgentMesh.Node.RoundTrips;

/// <summary>The answers of one run. Holds a number for each; the count of a run is bounded.</summary>
internal sealed class PingStatistics
{
    /// <summary>Below this number of answers the slowest of a hundred is not known.</summary>
    public const int AnswersForP99 = 100;

    private readonly List<double> _times = [];
    private int _sent;
    private (double RoundTripMs, double OffsetMs)? _clock;

    public int Answered => _times.Count;

    public void Add(PingProbeView probe)
    {
        _sent++;
        if (probe.RoundTripMs is not { } time)
        {
            return;
        }

        _times.Add(time);

        // The quickest round trip says the most about the clock: the error is at most half of it.
        if (probe.ClockOffsetMs is { } offset && (_clock is not { } best || time < best.RoundTripMs))
        {
            _clock = (time, offset);
        }
    }

    public PingSummaryView Summary()
    {
        double[] sorted = [.. _times.Order()];
        return sorted.Length == 0
            ? new PingSummaryView(_sent, 0, null, null, null, null, null)
            : new PingSummaryView(
                _sent,
                sorted.Length,
                sorted[0],
                sorted.Average(),
                sorted[^1],
                sorted.Length >= AnswersForP99 ? sorted[(int)Math.Ceiling(sorted.Length * 0.99) - 1] : null,
                _clock?.OffsetMs);
    }
}
