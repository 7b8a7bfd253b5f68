namespace AgentMesh.Protocol.Streams;

/// <summary>
/// How far the other side may send, for one stream or one class. Moves on when half of it was consumed, and doubles when that took less than two round trips: then the
/// window and not the network set the pace.
/// </summary>
internal sealed class ReceiveWindow(ulong initial, ulong max)
{
    private ulong _window = initial;
    private ulong _consumed;
    private TimeSpan? _movedAt;

    /// <summary>Offsets below it may be sent.</summary>
    public ulong Limit { get; private set; } = initial;

    /// <summary>Counts bytes that the application took, or that nobody will take. True when a new <see cref="Limit"/> is worth telling.</summary>
    public bool Consume(ulong bytes, TimeSpan now, TimeSpan roundTrip)
    {
        _consumed += bytes;
        if (Limit - _consumed > _window / 2)
        {
            return false;
        }

        if (_movedAt is { } before && now - before < 2 * roundTrip)
        {
            _window = Math.Min(_window * 2, max);
        }

        _movedAt = now;
        Limit = _consumed + _window;
        return true;
    }
}
