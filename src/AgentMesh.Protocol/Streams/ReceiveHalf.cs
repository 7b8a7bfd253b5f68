using AgentMesh.Protocol.Connections;

namespace AgentMesh.Protocol.Streams;

/// <summary>
/// The receiving direction of a stream: puts bytes in order and holds them until they are read. Memory is bounded by the window, and the number of gaps by <see cref="GapsMax"/>.
/// <code>
/// Open --last byte known--> Ending --all read--> Done
/// Open, Ending --RESET_STREAM--> Reset --seen by the reader--> Done
/// Open, Ending --Stop--> Stopped (bytes are dropped) --last byte or RESET_STREAM known--> Done
/// </code>
/// </summary>
internal sealed class ReceiveHalf(ulong window, ulong windowMax)
{
    /// <summary>More than a correct sender can cause: the packets of a full window, every other one lost.</summary>
    public const int GapsMax = 16_384;

    private readonly OffsetRing _ring = new();
    private readonly RangeSet _later = new();
    private readonly int _windowMax = (int)windowMax;
    private ulong _read;
    private ulong _ready;
    private ulong _highest;
    private ulong _arrived;
    private ulong? _finalSize;

    public ReceiveWindow Window { get; } = new(window, windowMax);

    public ulong? ResetCode { get; private set; }

    public bool IsStopped { get; private set; }

    /// <summary>The reader has seen the end or the reset, or nobody reads and nothing more can come.</summary>
    public bool IsDone { get; private set; }

    /// <summary>A read would not have to wait.</summary>
    public bool IsReadable => !IsStopped && !IsDone && (_ready > _read || ResetCode is not null || _read == _finalSize);

    /// <summary>
    /// Asked after bytes have arrived: the window was made greater, and the other side should know. Only for who sends in earnest: half of what is not read has arrived.
    /// </summary>
    public bool TryGrowWindow() => WantsMore && 2 * (_arrived - _read) >= _highest - _read && Window.Arrived(_highest, _ready - _read);

    public bool WantsMore => _finalSize is null && !IsStopped;

    /// <summary>Takes the bytes of a STREAM frame.</summary>
    /// <param name="counted">By how much the highest offset grew; counts against the class.</param>
    /// <param name="dropped">Bytes that nobody will read; they are consumed already.</param>
    public ulong Handle(ulong offset, ReadOnlySpan<byte> data, bool fin, out ulong counted, out ulong dropped)
    {
        counted = dropped = 0;
        ulong end = offset + (ulong)data.Length;
        if (end > Window.Limit)
        {
            return CloseCodes.FlowControl;
        }

        if ((_finalSize is { } size && (end > size || (fin && end != size))) || (fin && end < _highest))
        {
            return CloseCodes.FinalSize;
        }

        if (fin)
        {
            _finalSize = end;
        }

        if (end > _highest)
        {
            counted = end - _highest;
            _highest = end;
        }

        if (IsStopped || ResetCode is not null || IsDone)
        {
            dropped = counted;
            IsDone |= IsStopped && _finalSize is not null;
            return CloseCodes.None;
        }

        return end <= _ready || Store(offset, data) ? CloseCodes.None : CloseCodes.TooManyGaps;
    }

    /// <summary>Takes a RESET_STREAM.</summary>
    public ulong HandleReset(ulong code, ulong finalSize, out ulong counted, out ulong dropped)
    {
        counted = dropped = 0;
        if ((_finalSize is { } size && size != finalSize) || finalSize < _highest)
        {
            return CloseCodes.FinalSize;
        }

        if (finalSize > Window.Limit)
        {
            return CloseCodes.FlowControl;
        }

        // Only a stream whose end had come and was read whole is not cut short by this.
        bool wasReadWhole = _finalSize is not null && _read == finalSize;
        counted = finalSize - _highest;
        _highest = finalSize;
        _finalSize = finalSize;
        if (IsStopped)
        {
            dropped = counted;
            IsDone = true;
        }
        else if (!IsDone && ResetCode is null && !wasReadWhole)
        {
            dropped = finalSize - _read;
            ResetCode = code;
            Forget();
        }

        return CloseCodes.None;
    }

    /// <returns>Bytes read; 0 with <see cref="IsDone"/> at the end, 0 without when there is nothing yet.</returns>
    public int Read(Span<byte> destination)
    {
        int count = (int)Math.Min((ulong)destination.Length, _ready - _read);
        if (count > 0)
        {
            _ring.Read(_read, destination[..count]);
            _read += (ulong)count;
            _ring.Advance(_read, isEmpty: _read == _ready && _later.IsEmpty);
        }

        return count;
    }

    /// <summary>To be asked after a read that gave nothing: true at the end of the stream.</summary>
    public bool TryEnd()
    {
        IsDone |= ResetCode is not null || _read == _finalSize;
        return IsDone;
    }

    /// <summary>Nobody reads any more. Returns the bytes that are thus consumed.</summary>
    public ulong Stop()
    {
        IsStopped = true;
        IsDone |= _finalSize is not null;
        ulong dropped = ResetCode is null ? _highest - _read : 0;
        Forget();
        return dropped;
    }

    public void Release() => _ring.Release();

    private bool Store(ulong offset, ReadOnlySpan<byte> data)
    {
        ulong end = offset + (ulong)data.Length;
        if (offset < _ready)
        {
            data = data[(int)(_ready - offset)..];
            offset = _ready;
        }

        _arrived += (ulong)data.Length;
        _ring.Write(offset, data, _windowMax);
        if (offset > _ready)
        {
            _later.Add(offset, end);
            return _later.Count <= GapsMax;
        }

        _ready = end;
        while (!_later.IsEmpty && _later.First.Start <= _ready)
        {
            _ready = Math.Max(_ready, _later.Take(ulong.MaxValue).End);
        }

        return true;
    }

    private void Forget()
    {
        _later.Clear();
        _ready = _read;
        _ring.Release();
    }
}
