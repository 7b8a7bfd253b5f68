namespace AgentMesh.Protocol.Gateways;

/// <summary>
/// Tells from the epochs in a gateway's answers that it has lost its mappings: it restarted, or another took its place. Not thread-safe.
/// </summary>
public sealed class EpochWatch
{
    // RFC 6887, section 8.5: clocks may differ by a sixteenth, and rounding by two seconds.
    private const double DriftShare = 1.0 / 16;
    private const double RoundingSeconds = 2;

    private uint _epoch;
    private TimeSpan _at;
    private bool _isKnown;

    /// <param name="now">Monotonic.</param>
    /// <returns>True when mappings that were made before are gone.</returns>
    public bool TellsLoss(uint epoch, TimeSpan now)
    {
        bool wasKnown = _isKnown;
        double server = (double)epoch - _epoch, client = (now - _at).TotalSeconds;
        (_epoch, _at, _isKnown) = (epoch, now, true);

        // One second back is an answer that was overtaken by another.
        return wasKnown && (server < -1
            || client + RoundingSeconds < server - (server * DriftShare)
            || server + RoundingSeconds < client - (client * DriftShare));
    }
}
