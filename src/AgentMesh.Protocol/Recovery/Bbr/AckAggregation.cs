namespace AgentMesh.Protocol.Recovery;

/// <summary>How much more than the rate of the path explains is acknowledged at one time: radio, offload and thinned acknowledgements deliver in lumps, and the window has to bridge the gaps.</summary>
internal sealed class AckAggregation
{
    private const int Rounds = 10;

    private readonly WindowedMax _most = new();
    private TimeSpan _from;
    private double _delivered;

    public double Bytes => _most.Value;

    /// <param name="isPipeFilled">Before that one round is remembered.</param>
    public void Update(long newlyAcked, double bytesPerSecond, double window, RoundCounter rounds, bool isPipeFilled, TimeSpan now)
    {
        double expected = bytesPerSecond * (now - _from).TotalSeconds;
        if (_delivered <= expected)
        {
            Begin(now);
            expected = 0;
        }

        _delivered += newlyAcked;
        _most.Add(Math.Min(_delivered - expected, window), rounds.Count, isPipeFilled ? Rounds : 1);
    }

    public void Begin(TimeSpan now)
    {
        _delivered = 0;
        _from = now;
    }
}
