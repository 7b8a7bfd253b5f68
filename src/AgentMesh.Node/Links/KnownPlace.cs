using System.Net;
using AgentMesh.Node.Remembered;
using AgentMesh.Protocol.Identity;
using AgentMesh.Transport.Turn;

namespace AgentMesh.Node.Links;

/// <summary>An address at which a device was really found, and when it was there last.</summary>
internal readonly record struct GoodAddress(IPEndPoint Address, DateTimeOffset At);

/// <summary>A device of the mesh that really relayed for this one and another, and when it did last.</summary>
internal readonly record struct GoodRelay(DeviceId Device, DateTimeOffset At);

/// <summary>
/// Where one device may be: addresses in the order in which they are tried, first the latest, then those that worked before, then what it and others said. What
/// worked is never pushed out by what was only said: a host with dozens of bridges names dozens of addresses that lead nowhere.
/// </summary>
internal sealed record KnownPlace
{
    // An attempt takes 32: a relay channel or an announcement that comes while it runs has to find room, however often the device has moved.
    public const int AddressesMax = 24;

    public const int GoodMax = 8;

    public const int RelaysMax = 4;

    public static readonly KnownPlace Nothing = new();

    public IReadOnlyList<IPEndPoint> Addresses { get; init; } = [];

    /// <summary>The latest first, at most <see cref="GoodMax"/>.</summary>
    public IReadOnlyList<GoodAddress> Good { get; init; } = [];

    /// <summary>The latest first, at most <see cref="RelaysMax"/>.</summary>
    public IReadOnlyList<GoodRelay> Relays { get; init; } = [];

    public DateTimeOffset? LastSeen { get; init; }

    /// <summary>When it last opened a connection to this device and reached it directly; null where it never has.</summary>
    public DateTimeOffset? CameAt { get; init; }

    public DeviceHello? Hello { get; init; }

    public IReadOnlyList<RelayedPlace> Relayed { get; init; } = [];

    public IReadOnlyList<IPAddress> SeenAt { get; init; } = [];

    /// <summary>Connected just now, at this address where it is no relay's.</summary>
    public KnownPlace Found(IPEndPoint? at, DateTimeOffset now) => at is null
        ? this with { LastSeen = now }
        : this with
        {
            LastSeen = now,
            Good = Lasting([new GoodAddress(at, now), .. Good.Where(good => !good.Address.Equals(at)).Select(good => good with { At = good.At.NoLaterThan(now) })]),
            Addresses = Merge([at], Kept.Concat(Addresses)),
        };

    /// <summary>What is said to it passes this device now.</summary>
    public KnownPlace RelayedBy(DeviceId relay, DateTimeOffset now) => this with { Relays = Lasting([new GoodRelay(relay, now), .. Relays.Where(known => known.Device != relay).Select(known => known with { At = known.At.NoLaterThan(now) })]) };

    /// <summary>The device said it itself: goes before what others said.</summary>
    public KnownPlace Heard(DeviceHello hello, IEnumerable<IPEndPoint> addresses) => this with { Hello = hello, Addresses = Heard(addresses) };

    /// <inheritdoc cref="Heard(DeviceHello, IEnumerable{IPEndPoint})"/>
    public IReadOnlyList<IPEndPoint> Heard(IEnumerable<IPEndPoint> addresses) => Merge(Addresses.Take(1), Kept.Concat(addresses).Concat(Addresses));

    /// <summary>Another device, or the user, said it.</summary>
    public KnownPlace Told(IEnumerable<IPEndPoint> addresses) => this with { Addresses = Merge(Addresses, addresses) };

    /// <summary>It announced itself on a local link just now.</summary>
    public KnownPlace Announced(IPEndPoint at) => this with { Addresses = Merge([at], Kept.Concat(Addresses)) };

    /// <summary>Servers pass on to it at these addresses, which lead to it by way of the server only.</summary>
    /// <param name="seenAt">Null where another device said it: that an address is no way to a device which was found there is for the device itself to say.</param>
    public KnownPlace PassedOn(IReadOnlyList<RelayedPlace> relayed, IReadOnlyList<IPAddress>? seenAt)
    {
        GoodAddress[] good = seenAt is null ? [.. Good] : [.. Good.Where(known => !IsRelayed(known.Address))];
        return this with
        {
            Relayed = relayed,
            SeenAt = seenAt ?? SeenAt,
            Good = good,
            Addresses = [.. Addresses.Where(address => !IsRelayed(address) || good.Any(known => known.Address.Equals(address)))],
        };

        bool IsRelayed(IPEndPoint address) => relayed.Any(each => each.Address.Equals(address));
    }

    /// <summary>What is known of the same device under another id.</summary>
    public KnownPlace United(KnownPlace other) => this with
    {
        Addresses = Merge(other.Addresses, Addresses),
        Good = Lasting(Good.Concat(other.Good).OrderByDescending(good => good.At).DistinctBy(good => good.Address)),
        Relays = Lasting(Relays.Concat(other.Relays).OrderByDescending(relay => relay.At).DistinctBy(relay => relay.Device)),
        LastSeen = LastSeen ?? other.LastSeen,
        CameAt = CameAt ?? other.CameAt,
        Hello = Hello ?? other.Hello,
    };

    /// <inheritdoc cref="Remembered.Lasting"/>
    public static IReadOnlyList<GoodAddress> Lasting(IEnumerable<GoodAddress> good) => Remembered.Lasting.Of(good, each => each.At, GoodMax);

    /// <inheritdoc cref="Remembered.Lasting"/>
    public static IReadOnlyList<GoodRelay> Lasting(IEnumerable<GoodRelay> relays) => Remembered.Lasting.Of(relays, each => each.At, RelaysMax);

    private IEnumerable<IPEndPoint> Kept => Good.Select(good => good.Address);

    private static IReadOnlyList<IPEndPoint> Merge(IEnumerable<IPEndPoint> first, IEnumerable<IPEndPoint> then) => [.. first.Concat(then).Distinct().Take(AddressesMax)];
}
