namespace AgentMesh.Node.RoundTrips;

/// <summary>A bucket of tokens that fills steadily. Not thread-safe.</summary>
internal sealed class PingAllowance(int perSecond, int burst, TimeProvider time)
{
    private double _tokens = burst;
    private long _filled = time.GetTimestamp();

    /// <summary>Takes a token.</summary>
    /// <returns>How long to wait before using it; zero for at once.</returns>
    public TimeSpan WaitFor()
    {
        _tokens = Math.Min(burst, _tokens + (time.GetElapsedTime(_filled).TotalSeconds * perSecond)) - 1;
        _filled = time.GetTimestamp();
        return _tokens >= 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(-_tokens / perSecond);
    }
}
