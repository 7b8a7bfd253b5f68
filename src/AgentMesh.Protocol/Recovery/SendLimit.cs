namespace AgentMesh.Protocol.Recovery;

/// <summary>
/// How much a device sends in a second, all connections together: a bucket that fills at that rate. What may not wait (acknowledgements, control streams, keys, questions to paths) goes in any case and is
/// counted, so that the rest waits longer. Connections that are held back at the same time get equal shares. Thread-safe.
/// </summary>
internal sealed class SendLimit
{
    /// <summary>The least that can be set: below it a single datagram would wait for most of a second.</summary>
    public const long BytesPerSecondMin = 16 * 1024;

    /// <summary>So much may go at once after a rest: timers on a busy machine are late by this.</summary>
    public static readonly TimeSpan Burst = TimeSpan.FromMilliseconds(50);

    // Sixteen datagrams of an Ethernet: what is sent with one call.
    private const double BurstBytesMin = 16 * 1452;

    // What had to go in spite of the limit is made up for, and no more than a second of it.
    private static readonly TimeSpan DebtMax = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly FairShares _held = new();
    private double _tokens;
    private TimeSpan _filledAt = TimeSpan.MinValue;
    private long _bytesPerSecond;

    public SendLimit(long bytesPerSecond = 0) => BytesPerSecond = bytesPerSecond;

    /// <summary>0 is no limit. Counts from the next packet on.</summary>
    public long BytesPerSecond
    {
        get => Volatile.Read(ref _bytesPerSecond);
        set
        {
            lock (_gate)
            {
                Volatile.Write(ref _bytesPerSecond, value == 0 ? 0 : Math.Max(value, BytesPerSecondMin));
                _filledAt = TimeSpan.MinValue;
                _held.Clear();
            }
        }
    }

    /// <summary>For one connection.</summary>
    public SendShare Open() => new(this);

    /// <summary>Bytes that no connection sent: those of a relay.</summary>
    public void Count(int bytes) => Count(null, bytes);

    internal void Count(SendShare? share, int bytes)
    {
        if (BytesPerSecond == 0)
        {
            return;
        }

        lock (_gate)
        {
            double floor = -_bytesPerSecond * DebtMax.TotalSeconds;
            _tokens = Math.Max(floor, _tokens - bytes);
            if (share is not null)
            {
                share.Tokens = Math.Max(floor, share.Tokens - bytes);
            }
        }
    }

    /// <param name="againAt">When to ask again, where it may not.</param>
    internal bool MaySend(SendShare share, TimeSpan now, out TimeSpan againAt)
    {
        againAt = TimeSpan.MaxValue;
        if (BytesPerSecond == 0)
        {
            return true;
        }

        lock (_gate)
        {
            double rate = _bytesPerSecond, capacity = Math.Max(rate * Burst.TotalSeconds, BurstBytesMin);
            if (_filledAt == TimeSpan.MinValue)
            {
                (_tokens, _filledAt) = (capacity, now);
            }

            _tokens = Math.Min(capacity, _tokens + (rate * Math.Max(0, (now - _filledAt).TotalSeconds)));
            _filledAt = now;
            int sharing = _held.Fill(share, rate, capacity, DebtMax, now);
            if (_tokens > 0 && (sharing == 1 || share.Tokens > 0))
            {
                return true;
            }

            _held.Wait(share, now);
            double wait = Math.Max(-_tokens / rate, sharing == 1 ? 0 : -share.Tokens / (rate / sharing));
            againAt = now + TimeSpan.FromSeconds(Math.Clamp(wait, 0.001, FairShares.WaitMax.TotalSeconds));
            return false;
        }
    }

    internal void Close(SendShare share)
    {
        lock (_gate)
        {
            _held.Leave(share);
        }
    }
}

/// <summary>The part of one connection in a <see cref="SendLimit"/>. Used by one thread at a time.</summary>
internal sealed class SendShare(SendLimit limit) : FairShare, IDisposable
{
    /// <summary>When to ask again after <see cref="MaySend"/> said no.</summary>
    public TimeSpan NextAt { get; private set; } = TimeSpan.MaxValue;

    /// <summary>A packet may go that could wait.</summary>
    public bool MaySend(TimeSpan now)
    {
        bool may = limit.MaySend(this, now, out TimeSpan againAt);
        NextAt = againAt;
        return may;
    }

    /// <summary>A packet goes, whether it could have waited or not.</summary>
    public void Sent(int bytes) => limit.Count(this, bytes);

    public void Dispose() => limit.Close(this);
}
