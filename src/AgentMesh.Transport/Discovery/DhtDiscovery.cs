using System.Net;
using System.Net.Sockets;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Discovery.Dht;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Transport.Discovery;

/// <summary>
/// Says to single devices, over the mainline DHT, where this one is, and looks where they are (dht-v1.md): over IPv4 and IPv6 at the same time, from sockets of its own, without serving others. Thread-safe.
/// </summary>
public sealed class DhtDiscovery : IAsyncDisposable
{
    private readonly DeviceIdentity _identity;
    private readonly TimeProvider _time;
    private readonly List<DhtNetwork> _networks = [];
    private long _refused;

    /// <param name="bootstrap">Nodes to begin with; asked again whenever fewer than eight others of a family are known.</param>
    /// <param name="known">Nodes that answered an earlier run (<see cref="Newest"/>): asked with those.</param>
    /// <param name="bind">One address of each family that is wanted; a family that is not here is left out.</param>
    /// <exception cref="SocketException">None of them is here.</exception>
    public DhtDiscovery(DeviceIdentity identity, IReadOnlyList<DnsEndPoint> bootstrap, IReadOnlyList<IPEndPoint> known, IReadOnlyList<IPAddress> bind, IEntropy entropy, TimeProvider time)
    {
        _identity = identity;
        _time = time;
        Span<byte> random = stackalloc byte[DhtId.Bytes];
        entropy.Fill(random);
        var own = new DhtId(random); // one of both networks (BEP 32)
        foreach (IPAddress address in bind)
        {
            try
            {
                _networks.Add(new DhtNetwork(own, bootstrap, known, address, entropy, time));
            }
            catch (SocketException) when (address != bind[^1] || _networks.Count > 0)
            {
                // The other family may be there.
            }
        }

        foreach (DhtNetwork network in _networks)
        {
            network.OthersNamed += nodes => _networks.Find(other => other != network)?.Hint(nodes);
        }
    }

    /// <summary>Nodes that answered lately, of both families.</summary>
    public int Nodes => _networks.Sum(network => network.Nodes);

    /// <summary>Of <see cref="Nodes"/>, those of IPv6.</summary>
    public int Nodes6 => _networks.Where(network => network.Family == AddressFamily.InterNetworkV6).Sum(network => network.Nodes);

    /// <summary>Of each family those that answered last, the latest first.</summary>
    public IReadOnlyList<IPEndPoint> Newest(int count)
    {
        int each = count / Math.Max(1, _networks.Count(network => network.Nodes > 0));
        return [.. _networks.SelectMany(network => network.Newest(each))];
    }

    /// <summary>Values that nodes gave for places of this mesh and that no device of it has said; nothing of them is used.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Where what this device says to another can be found today: for tools, in hexadecimal.</summary>
    public string? PlaceOf(DevicePublicKey other) => DhtRecord.TryCreate(_identity, other, isOwn: true, DhtRecord.DayOf(_time.GetUtcNow()))?.Target.ToString();

    /// <summary>Says to one device where this one is.</summary>
    /// <param name="addresses">The first 16 count.</param>
    /// <returns>How many nodes keep it, of both families; for about two hours.</returns>
    public async Task<int> PublishAsync(DevicePublicKey to, IReadOnlyList<IPEndPoint> addresses, CancellationToken cancellationToken)
    {
        DateTimeOffset now = _time.GetUtcNow();
        if (DhtRecord.TryCreate(_identity, to, isOwn: true, DhtRecord.DayOf(now)) is not { } record)
        {
            return 0;
        }

        DhtSearch[] searches = await SearchAsync(record.Target, record.Seal(addresses, now.ToUnixTimeMilliseconds()), cancellationToken).ConfigureAwait(false);
        return searches.Sum(search => search.Stored);
    }

    /// <summary>Where a device said to this one that it is, today or, by a clock that is late, yesterday; empty when it said nothing.</summary>
    public async Task<IReadOnlyList<IPEndPoint>> FindAsync(DevicePublicKey from, CancellationToken cancellationToken)
    {
        long today = DhtRecord.DayOf(_time.GetUtcNow());
        foreach (long day in (long[])[today, today - 1, today + 1])
        {
            if (DhtRecord.TryCreate(_identity, from, isOwn: false, day) is not { } record)
            {
                continue;
            }

            DhtSearch[] searches = await SearchAsync(record.Target, null, cancellationToken).ConfigureAwait(false);
            DhtItem? item = searches.Select(search => search.Found).OfType<DhtItem>().MaxBy(found => found.Sequence);
            IReadOnlyList<IPEndPoint>? addresses = item is null ? null : record.TryOpen(item);
            Interlocked.Add(ref _refused, searches.Sum(search => search.BadItems) + (item is not null && addresses is null ? 1 : 0));
            if (addresses is { Count: > 0 })
            {
                return addresses;
            }
        }

        return [];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (DhtNetwork network in _networks)
        {
            await network.DisposeAsync().ConfigureAwait(false);
        }
    }

    // In both networks at the same time.
    private async Task<DhtSearch[]> SearchAsync(DhtId target, DhtItem? item, CancellationToken cancellationToken)
    {
        DhtSearch?[] searches = await Task.WhenAll(_networks.Select(network => network.SearchAsync(target, item, cancellationToken))).ConfigureAwait(false);
        return [.. searches.OfType<DhtSearch>()];
    }
}
