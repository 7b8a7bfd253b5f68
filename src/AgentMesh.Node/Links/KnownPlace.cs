using System.Net;
using AgentMesh.Transport.Turn;

namespace AgentMesh.Node.Links;

/// <summary>An address at which a device was really found, and when it was there last.</summary>
internal readonly record struct GoodAddress(IPEndPoint Address, DateTimeOffset At);

/// <summary>
/// Where one device may be: addresses in the order in which they are tried, first the latest, then those that worked before, then what it and others said. What
/// worked is never pushed out by what was only said: a host with dozens of bridges names dozens of addresses that lead nowhere.
/// </summary>
internal sealed record KnownPlace
{
    // An attempt takes 32: a relay channel or an announcement that comes while it runs has to find room, however often the device has moved.
    public const int AddressesMax = 24;

    public const int GoodMax = 8;

    public static readonly KnownPlace Nothing = new();

    public IReadOnlyList<IPEndPoint> Addresses { get; init; } = [];

    /// <summary>The latest first, at most <see cref="GoodMax"/>.</summary>
    public IReadOnlyList<GoodAddress> Good { get; init; } = [];

    public DateTimeOffset? LastSeen { get; init; }

    public DeviceHello? Hello { get; init; }

    public IReadOnlyList<RelayedPlace> Relayed { get; init; } = [];

    public IReadOnlyList<IPAddress> SeenAt { get; init; } = [];

    /// <summary>Connected just now, at this address where it is no relay's.</summary>
    public KnownPlace Found(IPEndPoint? at, DateTimeOffset now) => at is null
        ? this with { LastSeen = now }
        : this with
        {
            LastSeen = now,
            Good = [new GoodAddress(at, now), .. Good.Where(good => !good.Address.Equals(at)).Take(GoodMax - 1)],
            Addresses = Merge([at], Kept.Concat(Addresses)),
        };

    /// <summary>The device said it itself: goes before what others said.</summary>
    public KnownPlace Heard(DeviceHello hello, IEnumerable<IPEndPoint> addresses) => this with { Hello = hello, Addresses = Heard(addresses) };

    /// <inheritdoc cref="Heard(DeviceHello, IEnumerable{IPEndPoint})"/>
    public IReadOnlyList<IPEndPoint> Heard(IEnumerable<IPEndPoint> addresses) => Merge(Addresses.Take(1), Kept.Concat(addresses).Concat(Addresses));

    /// <summary>Another device, or the user, said it.</summary>
    public KnownPlace Told(IEnumerable<IPEndPoint> addresses) => this with { Addresses = Merge(Addresses, addresses) };

    /// <summary>It announced itself on a local link just now.</summary>
    public KnownPlace Announced(IPEndPoint at) => this with { Addresses = Merge([at], Kept.Concat(Addresses)) };

    /// <summary>Servers pass on to it at these addresses, which lead to it by way of the server only.</summary>
    public KnownPlace PassedOn(IReadOnlyList<RelayedPlace> relayed, IReadOnlyList<IPAddress>? seenAt) => this with
    {
        Relayed = relayed,
        SeenAt = seenAt ?? SeenAt,
        Addresses = [.. Addresses.Where(address => !relayed.Any(each => each.Address.Equals(address)))],
    };

    /// <summary>What is known of the same device under another id.</summary>
    public KnownPlace United(KnownPlace other) => this with
    {
        Addresses = Merge(other.Addresses, Addresses),
        Good = [.. Good.Concat(other.Good).OrderByDescending(good => good.At).DistinctBy(good => good.Address).Take(GoodMax)],
        LastSeen = LastSeen ?? other.LastSeen,
        Hello = Hello ?? other.Hello,
    };

    private IEnumerable<IPEndPoint> Kept => Good.Select(good => good.Address);

    private static IReadOnlyList<IPEndPoint> Merge(IEnumerable<IPEndPoint> first, IEnumerable<IPEndPoint> then) => [.. first.Concat(then).Distinct().Take(AddressesMax)];
}
