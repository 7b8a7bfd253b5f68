using AgentMesh.Protocol.Frames;

namespace AgentMesh.Protocol.Streams;

/// <summary>What goes into one STREAM frame.</summary>
/// <param name="NewBytes">Those sent for the first time; they count against the allowance of the class.</param>
internal readonly record struct StreamChunk(ulong Offset, int Length, bool Fin, int NewBytes);

/// <summary>
/// The sending direction of a stream: bytes wait here until they are acknowledged.
/// <code>
/// Open --Finish--> Finishing --all acknowledged--> Done
/// Open, Finishing --Reset--> Resetting --RESET_STREAM acknowledged--> Done
/// </code>
/// </summary>
internal sealed class SendHalf(ulong limit)
{
    private readonly OffsetRing _ring = new();
    private readonly RangeSet _acked = new();
    private readonly RangeSet _lost = new();
    private ulong _unsent;
    private ulong _end;
    private bool _finSent;
    private bool _finAcked;
    private bool _resetAcked;

    /// <summary>Offsets below it may be sent.</summary>
    public ulong Limit { get; private set; } = limit;

    public bool IsFinished { get; private set; }

    /// <summary>The code of the reset, by this side or on demand of the other.</summary>
    public ulong? ResetCode { get; private set; }

    public bool CanWrite => !IsFinished && ResetCode is null;

    /// <summary>Bytes written and not acknowledged.</summary>
    public ulong Held => _end - _ring.Start;

    public bool IsDone => _resetAcked || (_finAcked && _ring.Start == _end);

    /// <summary>Where the stream ends for the other side's accounting after a reset: everything that was ever sent.</summary>
    public ulong FinalSize => _unsent;

    /// <summary>Where the next chunk begins.</summary>
    public ulong NextOffset => _lost.IsEmpty ? _unsent : _lost.First.Start;

    /// <summary>Something that only needs the stream's allowance.</summary>
    public bool HasNewData => ResetCode is null && _unsent < _end && _unsent < Limit;

    /// <summary>Something that needs no allowance: a repetition or the bare end.</summary>
    public bool HasFreeWork => ResetCode is null && (!_lost.IsEmpty || (IsFinished && !_finSent && _unsent == _end));

    /// <returns>Bytes taken; fewer than given when <paramref name="bufferMax"/> bytes are held.</returns>
    public int Write(ReadOnlySpan<byte> data, int bufferMax)
    {
        ulong held = Held;
        int room = held >= (ulong)bufferMax ? 0 : (int)Math.Min((ulong)data.Length, (ulong)bufferMax - held);
        if (room > 0)
        {
            _ring.Write(_end, data[..room], bufferMax);
            _end += (ulong)room;
        }

        return room;
    }

    public void Finish() => IsFinished = true;

    /// <summary>False when there is nothing to reset any more.</summary>
    public bool TryReset(ulong code)
    {
        if (ResetCode is not null || IsDone)
        {
            return false;
        }

        ResetCode = code;
        _lost.Clear();
        _acked.Clear();
        _ring.Release();
        return true;
    }

    public void ResetAcked()
    {
        _resetAcked = true;
    }

    /// <summary>True when the stream can go on because of it.</summary>
    public bool RaiseLimit(ulong limit)
    {
        bool raised = limit > Limit;
        Limit = Math.Max(limit, Limit);
        return raised && HasNewData;
    }

    /// <param name="room">Bytes of data that fit.</param>
    /// <param name="credit">New bytes that the class may send.</param>
    public bool TryTake(int room, ulong credit, out StreamChunk chunk)
    {
        chunk = default;
        if (ResetCode is not null)
        {
            return false;
        }

        ulong start, end;
        int newBytes = 0;
        if (!_lost.IsEmpty)
        {
            if (room == 0)
            {
                return false;
            }

            (start, end) = _lost.Take((ulong)room);
        }
        else
        {
            start = _unsent;
            end = Math.Min(Math.Min(_end, Math.Max(Limit, start)), start + Math.Min((ulong)room, credit));
            newBytes = (int)(end - start);
            _unsent = end;
        }

        bool fin = IsFinished && end == _end && !_finSent;
        if (start == end && !fin)
        {
            return false;
        }

        _finSent |= fin;
        chunk = new StreamChunk(start, (int)(end - start), fin, newBytes);
        return true;
    }

    public void CopyTo(ulong offset, Span<byte> destination) => _ring.Read(offset, destination);

    public void Acked(ulong offset, int length, bool fin)
    {
        _finAcked |= fin;
        if (ResetCode is not null)
        {
            return;
        }

        ulong end = offset + (ulong)length;
        if (!_lost.IsEmpty)
        {
            _lost.Remove(offset, end);
        }

        ulong start = _ring.Start;
        if (length > 0 && end > start)
        {
            if (offset <= start && _acked.IsEmpty)
            {
                start = end;
            }
            else
            {
                _acked.Add(Math.Max(offset, start), end);
                if (_acked.First.Start == start)
                {
                    start = _acked.Take(ulong.MaxValue).End;
                }
            }

            _ring.Advance(start, isEmpty: start == _end);
        }
    }

    public void Lost(ulong offset, int length, bool fin)
    {
        if (ResetCode is not null)
        {
            return;
        }

        _finSent &= !fin || _finAcked;
        ulong end = offset + (ulong)length;
        ulong start = Math.Max(offset, _ring.Start);
        _lost.Add(start, end);
        for (int i = 0; i < _acked.Count && _acked[i].Start < end; i++)
        {
            _lost.Remove(Math.Max(start, _acked[i].Start), Math.Min(end, _acked[i].End));
        }
    }

    public void Release() => _ring.Release();
}
