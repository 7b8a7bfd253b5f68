namespace AgentMesh.Protocol.Recovery;

/// <summary>Some time with little in flight, in which the least round trip shows: 200 ms and a round, from when there is no more than half of what the path holds.</summary>
internal sealed class LeastDrain
{
    /// <summary>Of what the path holds.</summary>
    public const double WindowGain = 0.5;

    private static readonly TimeSpan Length = TimeSpan.FromMilliseconds(200);

    private TimeSpan? _since;
    private bool _hasRound;

    /// <summary>No more than this in flight.</summary>
    public double Window { get; private set; }

    public void Plan(double bdp, double minimum) => Window = Math.Max(WindowGain * bdp, minimum);

    public void Begin() => _since = null;

    /// <returns>True when a round has passed since there was so little in flight.</returns>
    public bool HasRound(long bytesInFlight, RoundCounter rounds, long delivered, TimeSpan now)
    {
        if (_since is null)
        {
            if (bytesInFlight <= Window)
            {
                _since = now;
                _hasRound = false;
                rounds.Begin(delivered);
            }

            return false;
        }

        return _hasRound |= rounds.IsStart;
    }

    public bool IsOver(TimeSpan now) => _since is { } since && now > since + Length;
}
