using AgentMesh.Protocol.Recovery;

namespace AgentMesh.Protocol.Streams;

/// <summary>
/// How much a device receives in a second, all connections together: a bucket that fills at that rate, out of which the others are allowed to send. Nothing is dropped; who has no allowance waits. What comes
/// without one (control streams, acknowledgements, repetitions, what was allowed before) is made up for with half of what comes in afterwards, so that the rest never stands still.
/// Connections that wait at the same time get equal shares. Thread-safe.
/// </summary>
internal sealed class ReceiveLimit
{
    /// <summary>The least that can be set, as for what is sent.</summary>
    public const long BytesPerSecondMin = 16 * 1024;

    /// <summary>So much may be allowed at once after a rest.</summary>
    public static readonly TimeSpan Burst = TimeSpan.FromMilliseconds(100);

    /// <summary>A class of streams may be allowed as much as comes in this time: what it may then send at once. Longer on paths with a long round trip.</summary>
    public static readonly TimeSpan Ahead = TimeSpan.FromMilliseconds(250);

    // Sixteen datagrams of an Ethernet.
    private const double BurstBytesMin = 16 * 1452;

    private static readonly TimeSpan DebtMax = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly FairShares _waiting = new();
    private double _tokens;
    private double _owed;
    private TimeSpan _filledAt = TimeSpan.MinValue;
    private long _bytesPerSecond;

    public ReceiveLimit(long bytesPerSecond = 0) => BytesPerSecond = bytesPerSecond;

    /// <summary>0 is no limit. What others are allowed already cannot be taken back.</summary>
    public long BytesPerSecond
    {
        get => Volatile.Read(ref _bytesPerSecond);
        set
        {
            lock (_gate)
            {
                Volatile.Write(ref _bytesPerSecond, value == 0 ? 0 : Math.Max(value, BytesPerSecondMin));
                _filledAt = TimeSpan.MinValue;
                _owed = 0;
                _waiting.Clear();
            }
        }
    }

    /// <summary>What a class of a connection may send at first, within <paramref name="max"/>.</summary>
    public static int FirstCredit(long bytesPerSecond, int max) => bytesPerSecond == 0 ? max : (int)Math.Min((ulong)max, Window(bytesPerSecond, TimeSpan.Zero));

    /// <summary>For one connection.</summary>
    public ReceiveShare Open() => new(this);

    /// <summary>Bytes came that nobody was allowed to send from the bucket.</summary>
    public void Count(int bytes)
    {
        if (BytesPerSecond == 0)
        {
            return;
        }

        lock (_gate)
        {
            _owed = Math.Min(_owed + bytes, _bytesPerSecond * DebtMax.TotalSeconds);
        }
    }

    internal static ulong Window(long bytesPerSecond, TimeSpan roundTrip)
    {
        double ahead = Math.Max(Ahead.TotalSeconds, (1.25 * roundTrip.TotalSeconds) + Burst.TotalSeconds);
        return (ulong)Math.Max(bytesPerSecond * ahead, BurstBytesMin);
    }

    /// <param name="againAt">When to ask again, where it gets less than it wants.</param>
    /// <returns>What it gets: at most <paramref name="wanted"/>, and nothing rather than crumbs.</returns>
    internal ulong Take(ReceiveShare share, ulong wanted, TimeSpan now, out TimeSpan againAt)
    {
        lock (_gate)
        {
            againAt = TimeSpan.MaxValue;
            if (_bytesPerSecond == 0)
            {
                return wanted;
            }

            double rate = _bytesPerSecond, capacity = Math.Max(rate * Burst.TotalSeconds, BurstBytesMin);
            Fill(rate, capacity, now);
            int sharing = _waiting.Fill(share, rate, capacity, DebtMax, now);
            double may = Math.Max(0, sharing == 1 ? _tokens : Math.Min(_tokens, share.Tokens));
            double least = Math.Min(wanted, capacity / 2 / sharing);
            ulong taken = may < least ? 0 : (ulong)Math.Min(wanted, may);
            _tokens -= taken;
            share.Tokens = Math.Max(-capacity, share.Tokens - taken);
            if (taken == wanted)
            {
                return taken;
            }

            _waiting.Wait(share, now);

            // A debt takes half of what comes in.
            double next = Math.Min(wanted - taken, capacity / 2 / sharing);
            double wait = Math.Max((next - _tokens) / rate * (_owed > 0 ? 2 : 1), sharing == 1 ? 0 : (next - share.Tokens) / (rate / sharing));
            againAt = now + TimeSpan.FromSeconds(Math.Clamp(wait, 0.002, FairShares.WaitMax.TotalSeconds));
            return taken;
        }
    }

    internal void Close(ReceiveShare share)
    {
        lock (_gate)
        {
            _waiting.Leave(share);
        }
    }

    private void Fill(double rate, double capacity, TimeSpan now)
    {
        if (_filledAt == TimeSpan.MinValue)
        {
            (_tokens, _filledAt) = (capacity, now);
        }

        double filled = rate * Math.Max(0, (now - _filledAt).TotalSeconds);
        double paid = Math.Min(_owed, filled / 2);
        _owed -= paid;
        _tokens = Math.Min(capacity, _tokens + filled - paid);
        _filledAt = now;
    }
}
