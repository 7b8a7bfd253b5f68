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

    /// <summary>Longer datagrams are dropped.</summary>
    public int Mtu { get; init; } = 65_507;
}

/// <summary>One direction of the simulated network: a queue before a link of some rate, then delay and accidents, by a seeded generator.</summary>
internal sealed class VirtualLink(LinkSettings settings, Random random)
{
    private readonly PriorityQueue<byte[], (TimeSpan At, long Order)> _flying = new();
    private TimeSpan _freeAt;
    private long _order;

    public LinkSettings Settings { get; set; } = settings;

    /// <summary>Nothing gets through.</summary>
    public bool IsCut { get; set; }

    /// <summary>Called for what enters the link, before any accident. True drops it.</summary>
    public Func<byte[], bool>? Drops { get; set; }

    public long Entered { get; private set; }

    public long EnteredBytes { get; private set; }

    public long Lost { get; private set; }

    public long Overflowed { get; private set; }

    public TimeSpan NextArrival => _flying.TryPeek(out _, out (TimeSpan At, long) first) ? first.At : TimeSpan.MaxValue;

    public void Send(ReadOnlySpan<byte> datagram, TimeSpan now)
    {
        Entered++;
        EnteredBytes += datagram.Length;
        byte[] copy = datagram.ToArray();
        if (IsCut || datagram.Length > Settings.Mtu || Drops?.Invoke(copy) == true || random.NextDouble() < Settings.Loss)
        {
            Lost++;
            return;
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

            leaves = _freeAt = start + TimeSpan.FromSeconds(datagram.Length * 8 / Settings.Rate);
        }

        Fly(copy, leaves);
        if (random.NextDouble() < Settings.Duplication)
        {
            Fly([.. copy], leaves);
        }
    }

    public byte[]? Receive(TimeSpan now) => NextArrival <= now ? _flying.Dequeue() : null;

    private void Fly(byte[] datagram, TimeSpan leaves)
    {
        TimeSpan at = leaves + Settings.Delay + (Settings.Jitter * random.NextDouble());
        if (random.NextDouble() < Settings.Reordering)
        {
            at += Settings.HeldBack;
        }

        _flying.Enqueue(datagram, (at, _order++));
    }
}
