namespace AgentMesh.Protocol.Recovery;

/// <summary>When a path is probed for more: 2 to 3 s after the last time, or after as many rounds as Reno would need, 63 at most, so that it does not starve who uses that beside it.</summary>
/// <param name="seed">What spreads the probing of many connections; any number that differs between them.</param>
internal sealed class ProbeTimes(ulong seed)
{
    private const int RenoRoundsMax = 63;

    private static readonly TimeSpan WaitMin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan WaitSpread = TimeSpan.FromSeconds(1);

    private ulong _chance = seed;
    private TimeSpan _since;
    private TimeSpan _wait;
    private long _round;

    /// <summary>The last probe is over.</summary>
    public void Begin(TimeSpan now, long round)
    {
        _round = round - (long)(Chance() * 2);
        _wait = WaitMin + (WaitSpread * Chance());
        _since = now;
    }

    /// <param name="datagrams">What the path holds.</param>
    public bool IsDue(TimeSpan now, long round, double datagrams) => now > _since + _wait || round - _round >= Math.Min(datagrams, RenoRoundsMax);

    /// <summary>0 to less than 1 (splitmix64). Only spreads what many connections would else do at one time.</summary>
    private double Chance()
    {
        _chance += 0x9e3779b97f4a7c15;
        ulong mixed = (_chance ^ (_chance >> 30)) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
        return ((mixed ^ (mixed >> 31)) >> 11) / (double)(1UL << 53);
    }
}
