namespace AgentMesh.Transport;

/// <summary>The one timer of a connection. Used under its lock, but for <paramref name="tick"/>, which takes it.</summary>
internal sealed class ConnectionTimer(TimeProvider time, Action tick) : IDisposable
{
    private readonly ITimer _timer = time.CreateTimer(_ => tick(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    private TimeSpan _at = TimeSpan.MaxValue;

    /// <summary>To be called by <paramref name="tick"/>.</summary>
    public void Fired() => _at = TimeSpan.MaxValue;

    /// <summary>Ticks at <paramref name="at"/> or before.</summary>
    public void Set(TimeSpan at, TimeSpan now)
    {
        // A timer that is set to an earlier moment than needed costs less than setting it for every packet.
        if (at >= _at)
        {
            return;
        }

        _at = at;
        TimeSpan wait = at - now;
        _timer.Change(wait > TimeSpan.Zero ? TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds)) : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => _timer.Dispose();
}
