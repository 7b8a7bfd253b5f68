using System.Net;
using AgentMesh.Protocol.Tests.Connections;
using Simulation.Reach.Net;
using Simulation.Running;

namespace Simulation.Reach;

/// <summary>
/// Two devices with a beacon between them, in a transfer in one direction or both, change their networks: one of them, or both at once, to a network of IPv4, of IPv6 or of
/// both, behind a NAT or none. Most changes are told by the system; some are seen by nobody but who gets the packets.
/// </summary>
internal sealed class RoamingWorld : ReachWorld
{
    private const string OneSide = "one side, s";
    private const string BothSides = "both sides at once, s";
    private const string ShortSleep = "after seconds of sleep, s";
    private const string LongSleep = "after 10 minutes of sleep, s";
    private const string OtherFamily = "to another family, s";

    private static readonly NatType[] Boxes = [NatType.None, NatType.FullCone, NatType.AddressRestricted, NatType.PortRestricted, NatType.Symmetric];

    private readonly SimInternet _net;
    private readonly DeviceHost _a;
    private readonly DeviceHost _b;
    private int _place;

    public RoamingWorld(int seed, Action<string>? told)
        : base(seed, told)
    {
        _net = new SimInternet(Random) { Told = Told, Loss = Chance(0.3) ? 0.01 : 0 };
        var beacon = new BeaconHost(_net, 30 * seed) { Delay = Between(Seconds(0.005), Seconds(0.03)) };
        _a = NewDevice(beacon, (30 * seed) + 10);
        _b = NewDevice(beacon, (30 * seed) + 20);
    }

    public static IReadOnlyList<Bar> Bars { get; } = [.. new[] { OneSide, BothSides, OtherFamily, ShortSleep, LongSleep }.Select(what => Bar.Within(what, Seconds(3)))];

    public override void Run()
    {
        Begin();
        for (int i = 0; i < 3; i++)
        {
            Roam();
        }

        Sleep(Between(Seconds(4), Seconds(8)), ShortSleep);
        Require((_a.Sessions, _b.Sessions) == (1, 1), $"{_a.Sessions} and {_b.Sessions} sessions, ended by {_a.LastEnd} and {_b.LastEnd}");
        Sleep(TimeSpan.FromMinutes(10), LongSleep);
        Require((_a.Sessions, _b.Sessions) == (2, 2), $"{_a.Sessions} and {_b.Sessions} sessions after a sleep, ended by {_a.LastEnd} and {_b.LastEnd}");
        Steps = _net.Datagrams;
    }

    private void Begin()
    {
        _a.Start(_b, dials: true);
        _b.Start(_a, dials: false);
        Require(_net.Until(() => _a.Peer is not null && _b.Peer is not null, Seconds(10)) is not null, "no connection within 10 s");
        bool isBoth = Chance(0.3);
        _a.IsSending = isBoth || Chance(0.5);
        _b.IsSending = isBoth || !_a.IsSending;
        _net.Run(Between(Seconds(2), Seconds(5)));
    }

    private void Roam()
    {
        bool isBoth = Chance(0.4);
        DeviceHost first = Chance(0.5) ? _a : _b;
        DeviceHost[] moving = isBoth ? [_a, _b] : [first];
        bool isOther = false;
        Marked();
        foreach (DeviceHost device in moving)
        {
            SimNat[] to = NewPlaces();
            isOther |= !to.Any(place => device.Places.Any(before => before.Outside.AddressFamily == place.Outside.AddressFamily));
            device.MoveTo(to, toldAfter: Between(Seconds(0.1), Seconds(0.2)));
        }

        Note($"{_net.Now.TotalSeconds - 1000:0.000} s: {(isBoth ? "both" : ReferenceEquals(first, _a) ? "a" : "b")} to {string.Join(" and ", moving.Select(device => string.Join("+", device.Places.Select(place => place.Outside))))}");
        _net.Run(Between(Seconds(6), Seconds(9)));
        foreach (DeviceHost reader in new[] { _a, _b }.Where(device => ReferenceEquals(device, _a) ? _b.IsSending : _a.IsSending))
        {
            Require(reader.Peer is not null, $"the session is over: {_a.LastEnd}, {_b.LastEnd}");
            Measure(isOther ? OtherFamily : isBoth ? BothSides : OneSide, reader.Bulk!.LongestPauseUpToNow);
        }

        Count(_a.IsDirect && _b.IsDirect ? "direct after a change" : "relayed after a change");
    }

    // The clock of the machine stands still meanwhile, as that of Linux does; that of the other one does not.
    private void Sleep(TimeSpan length, string what)
    {
        DeviceHost sleeper = Chance(0.5) ? _a : _b;
        int sessions = _a.Sessions;
        sleeper.Sleep();
        _net.Run(length);
        Note($"{_net.Now.TotalSeconds - 1000:0.000} s: {(ReferenceEquals(sleeper, _a) ? "a" : "b")} wakes up");
        sleeper.WakeUp(length);
        ulong a = _a.Bulk!.Read, b = _b.Bulk!.Read;
        bool isNew = what == LongSleep;
        Measure(what, _net.Until(() => Moves(_a, _b.IsSending, a) && Moves(_b, _a.IsSending, b), Seconds(20)));

        bool Moves(DeviceHost reader, bool isSentTo, ulong before) =>
            reader.Peer is not null && (isNew ? reader.Sessions > sessions && (!isSentTo || reader.Bulk!.Read > 0) : !isSentTo || reader.Bulk!.Read > before + 20_000);
    }

    private void Marked()
    {
        _a.Bulk!.Mark();
        _b.Bulk!.Mark();
    }

    private DeviceHost NewDevice(BeaconHost beacon, int seed) =>
        new(_net, beacon, seed, NewPlaces()) { Delay = Between(Seconds(0.002), Seconds(0.05)), Rate = 1e6 };

    private SimNat[] NewPlaces()
    {
        int number = ++_place;
        var ipv4 = new SimNat(Boxes[Random.Next(Boxes.Length)], IPAddress.Parse($"198.51.100.{number}"), Random);
        var ipv6 = new SimNat(NatType.None, IPAddress.Parse($"2001:db8:{number}::1"), Random);
        return Random.Next(10) switch
        {
            < 6 => [ipv4],
            < 8 => [ipv4, ipv6],
            _ => [ipv6],
        };
    }
}
