using System.Buffers;
using System.Numerics;
using AgentMesh.Errors;

namespace AgentMesh.Protocol.Streams;

/// <summary>
/// Bytes addressed by their offset in a stream, from <see cref="Start"/> on. Grows by doubling up to what its owner asks for; holds no memory while it is empty.
/// </summary>
internal sealed class OffsetRing
{
    private const int CapacityMin = 4096;

    private byte[]? _bytes;
    private int _capacity;

    /// <summary>The lowest offset that is kept.</summary>
    public ulong Start { get; private set; }

    /// <summary>Copies to offsets that end at most <paramref name="limit"/> bytes above <see cref="Start"/>.</summary>
    public void Write(ulong offset, ReadOnlySpan<byte> data, int limit)
    {
        if (data.IsEmpty)
        {
            return;
        }

        Invariant.Check(offset >= Start);
        ulong needed = offset + (ulong)data.Length - Start;
        Invariant.Check(needed <= (ulong)limit);
        if (needed > (ulong)_capacity)
        {
            Grow((int)needed);
        }

        int at = IndexOf(offset);
        int first = Math.Min(data.Length, _capacity - at);
        data[..first].CopyTo(_bytes.AsSpan(at));
        data[first..].CopyTo(_bytes);
    }

    public void Read(ulong offset, Span<byte> destination)
    {
        if (destination.IsEmpty)
        {
            return;
        }

        int at = IndexOf(offset);
        int first = Math.Min(destination.Length, _capacity - at);
        _bytes.AsSpan(at, first).CopyTo(destination);
        _bytes.AsSpan(0, destination.Length - first).CopyTo(destination[first..]);
    }

    /// <summary>Forgets everything below <paramref name="start"/>; <paramref name="isEmpty"/> says that nothing above it is held either.</summary>
    public void Advance(ulong start, bool isEmpty)
    {
        Start = start;
        if (isEmpty)
        {
            Release();
        }
    }

    public void Release()
    {
        if (_bytes is not null)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = null;
            _capacity = 0;
        }
    }

    private int IndexOf(ulong offset) => (int)(offset & (ulong)(_capacity - 1));

    private void Grow(int needed)
    {
        int capacity = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(needed, CapacityMin));
        byte[] bytes = ArrayPool<byte>.Shared.Rent(capacity);
        if (_bytes is not null)
        {
            // Every held byte keeps its offset; only its place changes.
            ulong end = Start + (ulong)_capacity;
            for (ulong offset = Start; offset < end;)
            {
                int from = IndexOf(offset);
                int to = (int)(offset & (ulong)(capacity - 1));
                int run = (int)Math.Min(end - offset, (ulong)Math.Min(_capacity - from, capacity - to));
                _bytes.AsSpan(from, run).CopyTo(bytes.AsSpan(to));
                offset += (ulong)run;
            }

            ArrayPool<byte>.Shared.Return(_bytes);
        }

        _bytes = bytes;
        _capacity = capacity;
    }
}
