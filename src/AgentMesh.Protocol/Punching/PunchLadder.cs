namespace AgentMesh.Protocol.Punching;

/// <summary>What one side does in a round of looking for a direct path.</summary>
public enum PunchStep : byte
{
    /// <summary>Probes to the addresses that the other side named.</summary>
    Plain,

    /// <summary>Probes to the ports that the other side's NAT will give out next.</summary>
    Predict,

    /// <summary>Probes to ports at random of the other side, which has many open.</summary>
    Guess,

    /// <summary>Opens many ports for the other side, which probes at random.</summary>
    Open,

    /// <summary>Nothing that is known helps.</summary>
    None,
}

/// <summary>
/// Chooses the next round by what both NATs do. Each rung costs more than the one before.
/// <code>
/// failed    one side          the other                  step
/// 0         any               any                        plain
/// 1-6       in steps          independent or in steps    predict
/// 1 or 7    dependent         independent                open and guess
/// 7         in steps          in steps                   none
/// 1         at random         dependent                  none
/// 1         independent       independent                plain
/// 1         unknown           any                        plain
/// </code>
/// </summary>
public static class PunchLadder
{
    /// <summary>Others who share a NAT may take a port between question and use; then another round may meet.</summary>
    public const int PredictionsMax = 6;

    /// <param name="failed">Rounds since the path is relayed that came to nothing.</param>
    /// <returns>What this side does; the other one does its counterpart.</returns>
    public static PunchStep Next(NatBehaviour mine, NatBehaviour theirs, int failed)
    {
        bool isKnown = mine.Mapping != NatMapping.Unknown && theirs.Mapping != NatMapping.Unknown;
        bool isHard = mine.Mapping == NatMapping.Dependent || theirs.Mapping == NatMapping.Dependent;
        if (failed == 0 || !isKnown || !isHard)
        {
            return PunchStep.Plain;
        }

        if (!mine.IsAtRandom && !theirs.IsAtRandom && failed <= PredictionsMax)
        {
            return PunchStep.Predict;
        }

        return (mine.Mapping, theirs.Mapping) switch
        {
            (NatMapping.Dependent, NatMapping.Independent) => PunchStep.Open,
            (NatMapping.Independent, NatMapping.Dependent) => PunchStep.Guess,
            _ => PunchStep.None,
        };
    }

    public static PunchStep Counterpart(PunchStep step) => step switch
    {
        PunchStep.Guess => PunchStep.Open,
        PunchStep.Open => PunchStep.Guess,
        _ => step,
    };
}
