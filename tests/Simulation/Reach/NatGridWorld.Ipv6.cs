using System.Net;
using AgentMesh.Node.Reach;
using AgentMesh.Protocol.Tests.Connections;
using Simulation.Reach.Net;

namespace Simulation.Reach;

/// <content>
/// Devices with IPv6 alone, with a firewall before them and without, beside each other and beside all that have IPv4. Nothing translates between the families: where one has
/// only the one and the other only the other, a beacon that has both is all that joins them.
/// </content>
internal sealed partial class NatGridWorld
{
    private const string Ipv6 = "ipv6", Ipv6Firewall = "ipv6-firewall", BothFamilies = "ipv6-and-symmetric";

    private const string Registered = "over a beacon: data, s", Met = "over a beacon: direct, s";

    // Handshakes take most of a seed's time; the pairs come round.
    private const int MeetingsPerSeed = 3;

    // Nine questions to each address that a device names: one of IPv6, or that at home and the outside one of IPv4.
    private const int RefusedMax = (1 + 2) * 9;

    // Made when it is asked for: what it is made of may be initialized later.
    private static IReadOnlyList<(string Left, string Right)> WithIpv6
    {
        get
        {
            string[] alone = [Ipv6, Ipv6Firewall], others = [.. Kinds, BothFamilies];
            return
            [
                .. from left in alone from right in others select (left, right),
                .. from left in others from right in alone select (left, right),
                .. from left in alone from right in alone select (left, right),
                (BothFamilies, BothFamilies),
            ];
        }
    }

    private static bool HasIpv4(string kind) => kind is not (Ipv6 or Ipv6Firewall);

    private static bool HasIpv6(string kind) => kind == BothFamilies || !HasIpv4(kind);

    private static SimHome Home(string kind, int number, Random random) => new(
        HasIpv4(kind) ? Nat(kind == BothFamilies ? "symmetric" : kind, number, random) : null,
        HasIpv6(kind) ? new SimNat(kind == Ipv6 ? NatType.None : NatType.Firewall, IPAddress.Parse($"2001:db8:{number}::1"), random) : null);

    /// <summary>The same with all that is around a connection: both register with a beacon of both families, are told of each other, and have their handshake over it.</summary>
    private void MeetOverBeacon(string left, string right)
    {
        string what = $"{left} x {right} over a beacon";
        Note(what);
        var net = new SimInternet(Random) { Told = Told };
        var beacon = new BeaconHost(net, 30 * Seed) { Delay = Between(Seconds(0.005), Seconds(0.03)) };
        DeviceHost a = Device(left, 1), b = Device(right, 2);
        a.Start(b, dials: true);
        b.Start(a, dials: false);
        a.IsSending = true;
        Require(net.Until(() => a.IsRegistered && b.IsRegistered, Seconds(3)) is not null, $"{what}: not registered within 3 s");
        TimeSpan? data = net.Until(() => b.Bulk is { Read: > 5_000 }, Seconds(5));
        Require(data <= Seconds(1.5), $"{what}: data after {data}");
        Measure(Registered, data);
        a.IsSending = false;
        bool isPossible = WayOf(left, right) == Way.Plain;
        TimeSpan? found = net.Until(() => a.IsDirect && b.IsDirect, Seconds(isPossible ? 10 : 20));
        Require(isPossible ? found <= Seconds(5) : found is null, $"{what}: direct after {found}");
        if (isPossible)
        {
            Measure(Met, found);
        }

        Require(PunchContent.HaveNoFamilyInCommon(a.Candidates, b.Candidates) != isPossible, $"{what}: {string.Join(' ', a.Candidates)} and {string.Join(' ', b.Candidates)}, and the reason told is not this");
        ulong before = a.Bulk!.Read;
        b.IsSending = true;
        net.Run(Seconds(2));
        Require(a.Bulk!.Read > before + 50_000, $"{what}: {a.Bulk.Read - before} bytes the other way");
        Require((a.Sessions, b.Sessions) == (1, 1), $"{what}: {a.Sessions} and {b.Sessions} sessions, ended by {a.LastEnd} and {b.LastEnd}");
        Require(isPossible == (a.IsDirect && b.IsDirect), $"{what}: goes back and forth");
        Steps += net.Datagrams;
        foreach (NetHost host in net.Hosts)
        {
            host.Dispose();
        }

        DeviceHost Device(string kind, int number)
        {
            SimHome home = Home(kind, number, Random);
            return new DeviceHost(net, beacon, (30 * Seed) + (10 * number), [.. new[] { home.Ipv4, home.Ipv6 }.OfType<SimNat>()]) { Delay = Between(Seconds(0.002), Seconds(0.03)) };
        }
    }
}
