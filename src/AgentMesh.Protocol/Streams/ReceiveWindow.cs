namespace AgentMesh.Protocol.Streams;

/// <summary>
/// How far the other side may send, for one stream or one class. Moves on when half of it was consumed, and doubles when that took less than two round trips: then the
/// window and not the network set the pace. It doubles as well when the other side has nearly used it up and only bytes that were lost on the way keep the reader from
/// moving it on: on a long path it takes round trips until they come.
/// </summary>
internal sealed class ReceiveWindow(ulong initial, ulong max)
{
    private ulong _window = initial;
    private ulong _consumed;
    private TimeSpan? _movedAt;

    /// <summary>Bytes that the other side may be ahead of the reader.</summary>
    public ulong Size => _window;

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

    /// <summary>Bytes up to <paramref name="highest"/> arrived, and <paramref name="unread"/> of them wait for nothing but the reader. True when a new <see cref="Limit"/> is worth telling.</summary>
    public bool Arrived(ulong highest, ulong unread) => Limit - highest <= _window / 4 && unread <= _window / 8 && TryGrow(_window * 2);

    /// <summary>Makes it at least so great, within its maximum. True when a new <see cref="Limit"/> is worth telling.</summary>
    public bool TryGrow(ulong size)
    {
        size = Math.Min(size, max);
        if (size <= _window)
        {
            return false;
        }

        _window = size;
        ulong before = Limit;
        Limit = Math.Max(before, _consumed + _window);
        return Limit > before;
    }
}
