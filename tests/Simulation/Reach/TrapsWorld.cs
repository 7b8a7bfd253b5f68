using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using AgentMesh.Node.Links;
using AgentMesh.Protocol.Tests.Connections;
using Simulation.Reach.Net;
using Simulation.Running;

namespace Simulation.Reach;

/// <summary>
/// Two devices with dozens of interfaces each, most of them bridges of containers and tunnels whose addresses many hosts share and which lead nowhere, to the host itself or to
/// somebody else: at home in different networks of the same private range, behind the same outside address without being neighbours, as neighbours, and on a network
/// without internet.
/// </summary>
internal sealed class TrapsWorld(int seed, Action<string>? told) : ReachWorld(seed, told)
{
    private const string Connected = "connected, s", Punched = "direct, different homes, s", Neighbours = "direct, same home, s", Offline = "direct, no internet, s", Kept = "direct still or again after a transfer, s";

    private const int InterfacesMin = 32;

    private const string SharedTunnel = "tunnel";

    // A round of questions and what is left of nine for a second one.
    private const int ProbesMax = 9;

    // Until there is a session: three attempts of four seconds, each sends at 0, 0.3, 0.9 and 2.1 s, a little earlier by chance.
    private const int InitiationsMax = 15;

    // Data goes where questions were answered and nowhere else; a question fits into a tenth of a packet.
    private const int QuestionBytesMax = 120;

    private static readonly NatType[] Boxes = [NatType.FullCone, NatType.AddressRestricted, NatType.PortRestricted];

    private readonly List<OtherDevice> _others = [];
    private SimInternet _net = null!;
    private BeaconHost _beacon = null!;
    private int _number;

    public static IReadOnlyList<Bar> Bars { get; } =
    [
        Bar.Within(Connected, Seconds(3), share: 1), Bar.Within(Punched, Seconds(5)), Bar.Within(Neighbours, Seconds(5)), Bar.Within(Offline, Seconds(5)), Bar.Within(Kept, Seconds(5)),
    ];

    public override void Run()
    {
        DifferentHomes();
        SameOutsideAddress();
        SameHome();
        NoInternet();
    }

    /// <summary>Both homes number their devices alike: at the address of each there is something else in the home of the other.</summary>
    private void DifferentHomes()
    {
        Begin();
        DeviceHost a = Device("home a", 10, Nat("198.51.100.1")), b = Device("home b", 20, Nat("198.51.100.2"));
        Impostors(a, b);
        Meet(a, b);
        Measure(Punched, _net.Until(() => a.IsDirect && b.IsDirect, Seconds(20)));
        Work(a, b, isDirect: true, "different homes");
    }

    /// <summary>A carrier has put both behind one address that it does not turn back from inside: no path leads from one to the other but the relay.</summary>
    private void SameOutsideAddress()
    {
        Begin();
        var carrier = new SimNat(Chance(0.5) ? NatType.PortRestricted : NatType.FullCone, IPAddress.Parse("203.0.113.1"), Random);
        SimNat Behind(string inner) => new(Boxes[Random.Next(Boxes.Length)], IPAddress.Parse(inner), Random, carrier);
        DeviceHost a = Device("home a", 10, Behind("100.64.0.7")), b = Device("home b", 20, Behind("100.64.0.8"));
        Impostors(a, b);
        Meet(a, b);
        _net.Run(Seconds(8));
        Require(!a.IsDirect && !b.IsDirect, "the same outside address: somebody sends directly where no path is");
        Work(a, b, isDirect: false, "the same outside address");
    }

    /// <summary>The box does not turn back from inside either, but they are on one link.</summary>
    private void SameHome()
    {
        Begin();
        var carrier = new SimNat(Boxes[Random.Next(Boxes.Length)], IPAddress.Parse("203.0.113.1"), Random);
        SimNat Behind(int host) => new(NatType.None, Local(host), Random, carrier);
        DeviceHost a = Device("home", 10, Behind(10)), b = Device("home", 20, Behind(20));
        Meet(a, b);
        Measure(Neighbours, _net.Until(() => a.IsDirect && b.IsDirect, Seconds(20)));
        Work(a, b, isDirect: true, "the same home");
    }

    /// <summary>No beacon answers; where they were before are others now.</summary>
    private void NoInternet()
    {
        Begin();
        DeviceHost a = Device("home", 10), b = Device("home", 20);
        var old = new SimInterface("eth0", "home", Local(77), 24);
        _others.Add(new OtherDevice(_net, Number(), Chance(0.5) ? [a.Identity.PublicKey, b.Identity.PublicKey] : [], old));
        foreach ((DeviceHost one, DeviceHost other) in new[] { (a, b), (b, a) })
        {
            one.Start(other, dials: ReferenceEquals(one, a));
            one.Known = KnownPlace.Nothing.Found(new IPEndPoint(Local(77), NetHost.Port), _net.WallNow).Told(Bridges(other));
            one.Announce();
        }

        Measure(Offline, _net.Until(() => a.IsDirect && b.IsDirect, Seconds(20)));
        Work(a, b, isDirect: true, "no internet");
        Require(a.Known!.Good.Count <= KnownPlace.GoodMax && a.Known.Addresses.Count <= KnownPlace.AddressesMax, "what is known of a device grows without bound");
    }

    private void Begin()
    {
        _others.Clear();
        _net = new SimInternet(Random) { Told = Told };
        _beacon = new BeaconHost(_net, Number()) { Delay = Between(Seconds(0.005), Seconds(0.03)) };
    }

    private int Number() => (100 * Seed) + (2 * _number++);

    private SimNat Nat(string outside) => new(Boxes[Random.Next(Boxes.Length)], IPAddress.Parse(outside), Random);

    private static IPAddress Local(int host) => IPAddress.Parse(string.Create(CultureInfo.InvariantCulture, $"192.168.1.{host}"));

    private static IEnumerable<IPEndPoint> Bridges(DeviceHost host) => host.Interfaces.Skip(1).Select(each => new IPEndPoint(each.Address, NetHost.Port));

    private DeviceHost Device(string home, int host, params SimNat[] places)
    {
        int number = Number();
        List<SimInterface> all = [new("eth0", home, Local(host), 24) { LeadsOut = places.Length > 0 }];
        int bridges = InterfacesMin + Random.Next(12);
        for (int i = 0; i < bridges; i++)
        {
            IPAddress address = i < 15 ? IPAddress.Parse($"172.{17 + i}.0.1") : IPAddress.Parse($"10.{200 + (i / 8)}.{i}.1");
            all.Add(new SimInterface(i == 0 ? "docker0" : $"br-{i}", $"bridge {i} of {number}", address, i < 15 ? 16 : 24));
        }

        // One server for both, which lets none of its clients see the others, or two that number alike.
        all.Add(new SimInterface("tun0", Chance(0.5) ? SharedTunnel : $"vpn of {number}", IPAddress.Parse($"10.8.0.{host}"), 24) { Type = NetworkInterfaceType.Tunnel });
        all.Add(new SimInterface("wg0", $"wg of {number}", IPAddress.Parse($"100.100.0.{host}"), 16) { Type = NetworkInterfaceType.Unknown });
        SimInterface[] shuffled = [.. all];
        Random.Shuffle(shuffled);
        return new DeviceHost(_net, _beacon, number, places)
        {
            Interfaces = shuffled,
            Delay = Between(Seconds(0.002), Seconds(0.05)),
            Rate = 1e6,
        };
    }

    /// <summary>Something else at each private address of one device, as the other one sees it.</summary>
    private void Impostors(DeviceHost a, DeviceHost b)
    {
        foreach ((DeviceHost here, DeviceHost there) in new[] { (a, b), (b, a) })
        {
            foreach (SimInterface way in here.Interfaces)
            {
                SimInterface? other = there.Interfaces.FirstOrDefault(each => each.Name == way.Name && !each.Address.Equals(way.Address) && way.Covers(each.Address));
                if (other is null)
                {
                    continue;
                }

                if (way.Link == SharedTunnel)
                {
                    _net.Links.Add(new Stranger(way.Link, new IPEndPoint(other.Address, NetHost.Port), StrangerKind.Silent, Random));
                }
                else if (Chance(0.3))
                {
                    // A device of the same mesh, or of another.
                    _others.Add(new OtherDevice(_net, Number(), Chance(0.5) ? [a.Identity.PublicKey, b.Identity.PublicKey] : [], other with { Link = way.Link }));
                }
                else
                {
                    _net.Links.Add(new Stranger(way.Link, new IPEndPoint(other.Address, NetHost.Port), (StrangerKind)Random.Next(5), Random));
                }
            }
        }
    }

    private void Meet(DeviceHost a, DeviceHost b)
    {
        foreach ((DeviceHost one, DeviceHost other) in new[] { (a, b), (b, a) })
        {
            // As an invitation or a hello has told it, or an older one.
            one.Known = KnownPlace.Nothing.Told(Chance(0.5) ? other.Candidates : Bridges(other));
            one.Start(other, dials: ReferenceEquals(one, a));
        }

        Measure(Connected, _net.Until(() => a.Peer is not null && b.Peer is not null, Seconds(20)));
        foreach (DeviceHost device in new[] { a, b })
        {
            int home = device.Candidates.ToList().FindIndex(address => address.Address.ToString().StartsWith("192.168.", StringComparison.Ordinal));
            Require(device.Candidates.Count <= LocalAddresses.Most, $"{device.Candidates.Count} candidates");
            Require(home is >= 0 and <= 1, $"the address at home is candidate {home} of {device.Candidates.Count}");
        }
    }

    private void Work(DeviceHost a, DeviceHost b, bool isDirect, string part)
    {
        Require(a.Peer is not null && b.Peer is not null, $"{part}: not connected: {a.LastEnd}, {b.LastEnd}");

        // Both dial at once: two handshakes may cross, and the newer session takes the place of the other.
        _net.Run(Seconds(1));
        (int, int) sessions = (a.Sessions, b.Sessions);
        Require(a.Sessions <= 2 && b.Sessions <= 2, $"{part}: {a.Sessions} and {b.Sessions} sessions");
        a.Bulk!.Mark();
        b.Bulk!.Mark();
        a.IsSending = true;
        b.IsSending = Chance(0.5);
        _net.Run(Between(Seconds(4), Seconds(7)));
        Require((a.Sessions, b.Sessions) == sessions, $"{part}: {a.Sessions} and {b.Sessions} sessions, ended by {a.LastEnd} and {b.LastEnd}");
        Require(b.Bulk.Read > 100_000 && b.Bulk.LongestPauseUpToNow < Seconds(2), $"{part}: {b.Bulk.Read} bytes came, none for {b.Bulk.LongestPauseUpToNow.TotalSeconds:0.0} s");

        if (isDirect)
        {
            // A queue that has just filled may make a device doubt the short way, and its beacon, for a while.
            Measure(Kept, _net.Until(() => a.IsDirect && b.IsDirect, Seconds(20)));
        }

        Require(isDirect || (!a.IsDirect && !b.IsDirect), $"{part}: somebody sends directly where no path is");
        Require(_others.TrueForAll(other => other.Sessions == 0), $"{part}: somebody else got a session");
        foreach (Stranger stranger in _net.Links.Strangers)
        {
            Require(stranger.Packets <= ProbesMax, $"{part}: {stranger.Packets} questions to {stranger.Address}, where a stranger is ({stranger.Kind})");
            Require(stranger.LongestPacket <= QuestionBytesMax, $"{part}: a packet of {stranger.LongestPacket} bytes to a stranger");
            Require(stranger.Initiations <= InitiationsMax, $"{part}: {stranger.Initiations} initiations to {stranger.Address}, where a stranger is");
            Measure("questions to a stranger", stranger.Packets);
            Measure("initiations to a stranger", stranger.Initiations);
        }

        Require(_net.Links.SentToSelf == 0, $"{part}: {_net.Links.SentToSelf} datagrams to the device's own addresses");
        Steps += _net.Datagrams;
    }
}
