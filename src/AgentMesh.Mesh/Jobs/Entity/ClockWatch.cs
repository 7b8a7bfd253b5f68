namespace AgentMesh.Mesh.Jobs.Entity;

/// <summary>Notices that the clock was set, by comparing it with the time that has passed.</summary>
internal sealed class ClockWatch(TimeProvider time)
{
    /// <summary>Less is the ordinary correction of a clock.</summary>
    private static readonly TimeSpan JumpMin = TimeSpan.FromSeconds(1);

    private DateTimeOffset _shown = time.GetUtcNow();
    private long _at = time.GetTimestamp();

    /// <summary>By how much it was set since the last call; zero where it was not.</summary>
    public TimeSpan Jump()
    {
        DateTimeOffset shown = time.GetUtcNow();
        long at = time.GetTimestamp();
        TimeSpan jump = shown - _shown - time.GetElapsedTime(_at, at);
        _shown = shown;
        _at = at;
        return jump.Duration() < JumpMin ? TimeSpan.Zero : jump;
    }
}
