namespace AgentMesh.Protocol.Handshake;

/// <summary>
/// The increasing numbers of this device's initiations: wall-clock time in 100 ns since 1970, but never less than or equal to one used before, whatever the clock
/// does. To hold across restarts without a write per connection, a stretch of numbers is reserved in advance and stored.
/// </summary>
/// <param name="reserved">The greatest number that an earlier process may have used; 0 for none.</param>
/// <param name="reserve">Stores a new greatest number before it is used; null keeps nothing.</param>
public sealed class InitiationStamps(ulong reserved, Action<ulong>? reserve)
{
    /// <summary>One write per ten minutes of connecting.</summary>
    private const ulong Stretch = 10 * TimeSpan.TicksPerMinute;

    private ulong _last = reserved;
    private ulong _reserved = reserved;

    public ulong Next(DateTimeOffset wall)
    {
        long ticks = wall.UtcTicks - DateTimeOffset.UnixEpoch.Ticks;
        _last = Math.Max(_last + 1, (ulong)Math.Max(ticks, 0));
        if (_last > _reserved)
        {
            _reserved = _last + Stretch;
            reserve?.Invoke(_reserved);
        }

        return _last;
    }
}
