using System.Net;

namespace AgentMesh.Protocol.Discovery;

/// <summary>An allowance for each source address on the link. Bounded: when it is full, addresses that have been quiet make room, else new ones are refused.</summary>
internal sealed class SourceAllowances
{
    public const int SourcesMax = 1024;
    public const int Burst = 64;
    public const int PerSecond = 8;

    // Looking for room takes as long as the table is big, so a flood of new addresses may not ask for it each time.
    private static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(1);

    private readonly Dictionary<IPAddress, TokenBucket> _sources = [];
    private TimeSpan _sweptAt = TimeSpan.MinValue;

    public int Count => _sources.Count;

    public bool TryTake(IPAddress source, TimeSpan now)
    {
        if (!_sources.TryGetValue(source, out TokenBucket? allowance))
        {
            if (_sources.Count >= SourcesMax && !TrySweep(now))
            {
                return false;
            }

            allowance = new TokenBucket(Burst, PerSecond);
            _sources.Add(source, allowance);
        }

        return allowance.TryTake(now);
    }

    private bool TrySweep(TimeSpan now)
    {
        if (_sweptAt != TimeSpan.MinValue && now - _sweptAt < SweepEvery)
        {
            return false;
        }

        _sweptAt = now;
        foreach ((IPAddress source, TokenBucket allowance) in _sources)
        {
            if (allowance.IsFull(now))
            {
                _sources.Remove(source);
            }
        }

        return _sources.Count < SourcesMax;
    }
}
