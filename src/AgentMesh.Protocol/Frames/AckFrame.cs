namespace AgentMesh.Protocol.Frames;

/// <summary>
/// Which packets of a path arrived, in ranges from the newest down.
/// <code>
/// 0x02 | largest packet number | delay in microseconds | ranges after the first | length of the first range - 1 | (gap - 1, length - 1)...
/// </code>
/// A gap counts the packets that did not arrive between two ranges. All numbers are variable-length integers.
/// </summary>
internal readonly ref struct AckFrame
{
    /// <summary>Ranges in one frame: what arrived before that is told by earlier frames.</summary>
    public const int RangesMax = 64;

    private readonly ReadOnlySpan<byte> _ranges;

    private AckFrame(ulong largest, TimeSpan delay, ulong firstLength, int count, ReadOnlySpan<byte> ranges)
    {
        Largest = largest;
        Delay = delay;
        FirstLength = firstLength;
        Count = count;
        _ranges = ranges;
    }

    public ulong Largest { get; }

    /// <summary>How long the receiver of <see cref="Largest"/> waited before it said so.</summary>
    public TimeSpan Delay { get; }

    /// <summary>Ranges, the first included.</summary>
    public int Count { get; }

    private ulong FirstLength { get; }

    /// <param name="ranges">Inclusive, newest first; at most <see cref="RangesMax"/> are written, fewer where <paramref name="destination"/> ends.</param>
    /// <returns>Bytes written; 0 where not even the first range fits.</returns>
    public static int Write(Span<byte> destination, ReadOnlySpan<PacketRange> ranges, TimeSpan delay)
    {
        Span<byte> head = stackalloc byte[1 + (4 * VarInt.SizeMax)];
        int available = destination.Length - head.Length;
        if (available < 0)
        {
            return 0;
        }

        // The tail first, since only then the count is known.
        Span<byte> tail = stackalloc byte[RangesMax * 2 * VarInt.SizeMax];
        int tailLength = 0, count = 1;
        for (; count < ranges.Length && count < RangesMax; count++)
        {
            ulong gap = ranges[count - 1].First - ranges[count].Last - 1;
            int size = VarInt.Size(gap - 1) + VarInt.Size(ranges[count].Length - 1);
            if (tailLength + size > available)
            {
                break;
            }

            tailLength += VarInt.Write(tail[tailLength..], gap - 1);
            tailLength += VarInt.Write(tail[tailLength..], ranges[count].Length - 1);
        }

        int length = 0;
        head[length++] = (byte)FrameType.Ack;
        length += VarInt.Write(head[length..], ranges[0].Last);
        length += VarInt.Write(head[length..], (ulong)Math.Max(0, delay.Ticks / TimeSpan.TicksPerMicrosecond));
        length += VarInt.Write(head[length..], (ulong)(count - 1));
        length += VarInt.Write(head[length..], ranges[0].Length - 1);
        head[..length].CopyTo(destination);
        tail[..tailLength].CopyTo(destination[length..]);
        return length + tailLength;
    }

    /// <summary>Reads what follows the type. False for truncated bytes and for ranges below zero.</summary>
    public static bool TryRead(ref ReadOnlySpan<byte> source, out AckFrame frame)
    {
        frame = default;
        if (!VarInt.TryRead(ref source, out ulong largest)
            || !VarInt.TryRead(ref source, out ulong delay)
            || !VarInt.TryRead(ref source, out ulong more)
            || !VarInt.TryRead(ref source, out ulong first)
            || more >= RangesMax
            || first > largest)
        {
            return false;
        }

        ReadOnlySpan<byte> ranges = source;
        ulong smallest = largest - first;
        for (ulong i = 0; i < more; i++)
        {
            if (!VarInt.TryRead(ref source, out ulong gap) || !VarInt.TryRead(ref source, out ulong length) || smallest < gap + 2 + length)
            {
                return false;
            }

            smallest -= gap + 2 + length;
        }

        // A delay of more than an hour is nonsense and would overflow nothing only by luck.
        TimeSpan bounded = TimeSpan.FromMicroseconds(Math.Min(delay, 3_600_000_000));
        frame = new AckFrame(largest, bounded, first + 1, (int)more + 1, ranges[..^source.Length]);
        return true;
    }

    public Enumerator GetEnumerator() => new(this);

    public ref struct Enumerator(AckFrame frame)
    {
        private readonly ulong _largest = frame.Largest;
        private readonly ulong _firstLength = frame.FirstLength;
        private ReadOnlySpan<byte> _rest = frame._ranges;
        private int _left = frame.Count;
        private bool _started;

        public PacketRange Current { get; private set; }

        public bool MoveNext()
        {
            if (_left-- <= 0)
            {
                return false;
            }

            if (!_started)
            {
                _started = true;
                Current = new PacketRange(_largest - (_firstLength - 1), _largest);
                return true;
            }

            VarInt.TryRead(ref _rest, out ulong gap);
            VarInt.TryRead(ref _rest, out ulong length);
            ulong last = Current.First - gap - 2;
            Current = new PacketRange(last - length, last);
            return true;
        }
    }
}

/// <summary>Packet numbers from <paramref name="First"/> to <paramref name="Last"/>, both included.</summary>
internal readonly record struct PacketRange(ulong First, ulong Last)
{
    public ulong Length => Last - First + 1;
}
