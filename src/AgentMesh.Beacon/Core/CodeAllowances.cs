using System.Net;
using System.Net.Sockets;

namespace AgentMesh.Beacon.Core;

/// <summary>An allowance for each client address, of IPv6 for each /64. Bounded: when it is full those that are whole make room, else new addresses are refused. Not thread-safe.</summary>
internal sealed class CodeAllowances(int burst, int sourcesMax)
{
    private const int PerSecond = 1;
    private const int PrefixBytes = 8;

    // To look for room costs as much as the table is long; a flood of new addresses may not ask for it each time.
    private static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(1);

    private readonly Dictionary<IPAddress, (ByteBucket Bucket, TimeSpan FullAt)> _sources = [];
    private TimeSpan? _sweptAt;

    public int Count => _sources.Count;

    public bool TryTake(IPAddress address, int cost, TimeSpan at)
    {
        IPAddress source = SourceOf(address);
        if (!_sources.TryGetValue(source, out (ByteBucket Bucket, TimeSpan FullAt) entry))
        {
            if (_sources.Count >= sourcesMax && !TrySweep(at))
            {
                return false;
            }

            entry = (new ByteBucket(burst, PerSecond, at), at);
        }

        if (!entry.Bucket.TryTake(cost, at))
        {
            return false;
        }

        TimeSpan from = entry.FullAt > at ? entry.FullAt : at;
        _sources[source] = (entry.Bucket, from + TimeSpan.FromSeconds((double)cost / PerSecond));
        return true;
    }

    private static IPAddress SourceOf(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        byte[] bytes = address.GetAddressBytes();
        bytes.AsSpan(PrefixBytes).Clear();
        return new IPAddress(bytes);
    }

    private bool TrySweep(TimeSpan at)
    {
        if (_sweptAt is { } swept && at - swept < SweepEvery)
        {
            return false;
        }

        _sweptAt = at;
        foreach ((IPAddress source, (ByteBucket _, TimeSpan fullAt)) in _sources)
        {
            if (fullAt <= at)
            {
                _sources.Remove(source);
            }
        }

        return _sources.Count < sourcesMax;
    }
}
