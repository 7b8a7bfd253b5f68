namespace AgentMesh.Protocol.Recovery;

/// <summary>Between two probes: what losses say the path carries now. Infinite where there were none.</summary>
internal struct ShortTermBounds
{
    // As CUBIC does at most at one time.
    private const double Beta = 0.7;

    public ShortTermBounds()
    {
    }

    public double BytesPerSecond { get; private set; } = double.PositiveInfinity;

    public double InFlight { get; private set; } = double.PositiveInfinity;

    /// <summary>Down towards what was delivered in the round that lost something.</summary>
    public void Lower(LossRound round, double bytesPerSecond, double window)
    {
        double rate = double.IsInfinity(BytesPerSecond) ? bytesPerSecond : BytesPerSecond;
        double inFlight = double.IsInfinity(InFlight) ? window : InFlight;
        BytesPerSecond = Math.Max(round.BytesPerSecond, Beta * rate);
        InFlight = Math.Max(round.Delivered, Beta * inFlight);
    }

    /// <summary>The losses were none.</summary>
    public void Undo(in ShortTermBounds before)
    {
        BytesPerSecond = Math.Max(BytesPerSecond, before.BytesPerSecond);
        InFlight = Math.Max(InFlight, before.InFlight);
    }
}
