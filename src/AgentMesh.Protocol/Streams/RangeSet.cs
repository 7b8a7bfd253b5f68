using AgentMesh.Errors;

namespace AgentMesh.Protocol.Streams;

/// <summary>
/// Offsets as sorted half-open ranges that neither overlap nor touch. Made for few ranges with the action at the ends. No memory while it is empty and was never used.
/// </summary>
internal sealed class RangeSet
{
    private (ulong Start, ulong End)[] _ranges = [];
    private int _head;
    private int _count;

    public int Count => _count;

    public bool IsEmpty => _count == 0;

    public (ulong Start, ulong End) First
    {
        get
        {
            Invariant.Check(_count > 0);
            return _ranges[_head];
        }
    }

    public (ulong Start, ulong End) this[int index] => _ranges[_head + index];

    public void Clear() => _head = _count = 0;

    public void Add(ulong start, ulong end)
    {
        if (start >= end)
        {
            return;
        }

        if (_count > 0 && start > _ranges[_head + _count - 1].End)
        {
            Insert(_count, start, end);
            return;
        }

        int from = FirstEndingAtOrAfter(start);
        int to = from;
        while (to < _count && _ranges[_head + to].Start <= end)
        {
            start = Math.Min(start, _ranges[_head + to].Start);
            end = Math.Max(end, _ranges[_head + to].End);
            to++;
        }

        if (from == to)
        {
            Insert(from, start, end);
            return;
        }

        _ranges[_head + from] = (start, end);
        Delete(from + 1, to - from - 1);
    }

    public void Remove(ulong start, ulong end)
    {
        if (start >= end)
        {
            return;
        }

        int i = FirstEndingAtOrAfter(start + 1);
        while (i < _count && _ranges[_head + i].Start < end)
        {
            (ulong s, ulong e) = _ranges[_head + i];
            if (s < start && e > end)
            {
                _ranges[_head + i] = (s, start);
                Insert(i + 1, end, e);
                return;
            }

            if (s < start)
            {
                _ranges[_head + i] = (s, start);
                i++;
            }
            else if (e > end)
            {
                _ranges[_head + i] = (end, e);
                return;
            }
            else
            {
                Delete(i, 1);
            }
        }
    }

    /// <summary>Removes and returns the lowest offsets, at most <paramref name="max"/> of them, from one range.</summary>
    public (ulong Start, ulong End) Take(ulong max)
    {
        (ulong start, ulong end) = First;
        if (end - start > max)
        {
            _ranges[_head] = (start + max, end);
            return (start, start + max);
        }

        Delete(0, 1);
        return (start, end);
    }

    private int FirstEndingAtOrAfter(ulong offset)
    {
        int low = 0, high = _count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_ranges[_head + middle].End < offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private void Insert(int index, ulong start, ulong end)
    {
        if (_head + _count == _ranges.Length)
        {
            MakeRoom();
        }

        Array.Copy(_ranges, _head + index, _ranges, _head + index + 1, _count - index);
        _ranges[_head + index] = (start, end);
        _count++;
    }

    private void Delete(int index, int count)
    {
        if (index == 0)
        {
            _head += count;
        }
        else
        {
            Array.Copy(_ranges, _head + index + count, _ranges, _head + index, _count - index - count);
        }

        _count -= count;
        if (_count == 0)
        {
            _head = 0;
        }
    }

    private void MakeRoom()
    {
        var target = _head > _ranges.Length / 2 ? _ranges : new (ulong, ulong)[Math.Max(4, _ranges.Length * 2)];
        Array.Copy(_ranges, _head, target, 0, _count);
        _ranges = target;
        _head = 0;
    }
}
