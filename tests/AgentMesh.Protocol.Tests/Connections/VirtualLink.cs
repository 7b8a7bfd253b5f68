using AgentMesh.Protocol.Packets;

namespace AgentMesh.Protocol.Tests.Connections;

/// <summary>How one direction of the simulated network behaves. Immutable.</summary>
internal sealed record LinkSettings
{
    public TimeSpan Delay { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>Added to the delay, evenly spread from zero to this; more than the distance of packets reorders them.</summary>
    public TimeSpan Jitter { get; init; }

    /// <summary>Chance that a datagram is dropped.</summary>
    public double Loss { get; init; }

    /// <summary>Chance that a datagram arrives twice.</summary>
    public double Duplication { get; init; }

    /// <summary>Chance that a datagram is held back by <see cref="HeldBack"/>.</summary>
    public double Reordering { get; init; }

    public TimeSpan HeldBack { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>Bits in a second; zero for no limit.</summary>
    public double Rate { get; init; }

    /// <summary>Bytes that wait for the link at most; later ones are dropped.</summary>
    public int QueueBytes { get; init; } = 256 * 1024;

    /// <summary>What asks for marks and would wait longer than this is marked; null: the queue marks nothing.</summary>
    public TimeSpan? MarksAfter { get; init; }

    /// <summary>Longer datagrams are dropped.</summary>
    public int Mtu { get; init; } = 65_507;
}

/// <summary>One direction of the simulated network: a queue before a link of some rate, then delay and accidents, by a seeded generator.</summary>
internal sealed class VirtualLink(LinkSettings settings, Random random)
{
    private readonly PriorityQueue<(byte[] Datagram, EcnCodepoint Ecn), (TimeSpan At, long Order)> _flying = new();
    private TimeSpan _freeAt;
    private long _order;

    public LinkSettings Settings { get; set; } = settings;

    /// <summary>Nothing gets through.</summary>
    public bool IsCut { get; set; }

    /// <summary>Called for what enters the link, before any accident. True drops it.</summary>
    public Func<byte[], bool>? Drops { get; set; }

    /// <summary>What a box at the entry makes of the bits of ECN; null drops the datagram.</summary>
    public Func<EcnCodepoint, EcnCodepoint?>? Box { get; set; }

    public long Entered { get; private set; }

    /// <summary>Of those, the ones that asked for marks.</summary>
    public long EnteredEct { get; private set; }

    public long Marked { get; private set; }

    public long EnteredBytes { get; private set; }

    public long Lost { get; private set; }

    public long Overflowed { get; private set; }

    public TimeSpan NextArrival => _flying.TryPeek(out _, out (TimeSpan At, long) first) ? first.At : TimeSpan.MaxValue;

    public void Send(ReadOnlySpan<byte> datagram, TimeSpan now, EcnCodepoint ecn = EcnCodepoint.NotEct)
    {
        Entered++;
        EnteredEct += ecn == EcnCodepoint.NotEct ? 0 : 1;
        EnteredBytes += datagram.Length;
        byte[] copy = datagram.ToArray();
        if (IsCut || datagram.Length > Settings.Mtu || Drops?.Invoke(copy) == true || random.NextDouble() < Settings.Loss)
        {
            Lost++;
            return;
        }

        if (Box is not null)
        {
            if (Box(ecn) is not { } after)
            {
                Lost++;
                return;
            }

            ecn = after;
        }

        TimeSpan leaves = now;
        if (Settings.Rate > 0)
        {
            TimeSpan start = _freeAt > now ? _freeAt : now;
            if ((start - now).TotalSeconds * Settings.Rate / 8 > Settings.QueueBytes)
            {
                Overflowed++;
                return;
            }

            if (ecn != EcnCodepoint.NotEct && start - now > Settings.MarksAfter)
            {
                ecn = EcnCodepoint.Ce;
                Marked++;
            }

            leaves = _freeAt = start + TimeSpan.FromSeconds(datagram.Length * 8 / Settings.Rate);
        }

        Fly(copy, ecn, leaves);
        if (random.NextDouble() < Settings.Duplication)
        {
            Fly([.. copy], ecn, leaves);
        }
    }

    public byte[]? Receive(TimeSpan now) => Receive(now, out _);

    public byte[]? Receive(TimeSpan now, out EcnCodepoint ecn)
    {
        (byte[]? datagram, ecn) = NextArrival <= now ? _flying.Dequeue() : default;
        return datagram;
    }

    private void Fly(byte[] datagram, EcnCodepoint ecn, TimeSpan leaves)
    {
        TimeSpan at = leaves + Settings.Delay + (Settings.Jitter * random.NextDouble());
        if (random.NextDouble() < Settings.Reordering)
        {
            at += Settings.HeldBack;
        }

        _flying.Enqueue((datagram, ecn), (at, _order++));
    }
}
