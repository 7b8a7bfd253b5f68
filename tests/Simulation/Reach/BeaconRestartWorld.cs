using System.Net;
using AgentMesh.Protocol.Tests.Connections;
using Simulation.Reach.Net;
using Simulation.Running;

namespace Simulation.Reach;

/// <summary>
/// Three pairs of devices and their beacon, which is killed and comes back at the same address without any memory. Some pairs have a direct path and some do not, some have
/// a transfer and some are silent.
/// </summary>
internal sealed class BeaconRestartWorld : ReachWorld
{
    private const string Connected = "connected, s";
    private const string AfterBlink = "registered again after less than 3 s, s";
    private const string AfterRestart = "registered again after 3 to 5 s, s";
    private const string AfterAbsence = "registered again after 10 to 20 s, s";
    private const string Relayed = "relayed transfer moves again, s";
    private const int Pairs = 3;

    private readonly SimInternet _net;
    private readonly BeaconHost _beacon;
    private readonly List<(DeviceHost A, DeviceHost B)> _pairs = [];

    public BeaconRestartWorld(int seed, Action<string>? told)
        : base(seed, told)
    {
        _net = new SimInternet(Random) { Told = Told };
        _beacon = new BeaconHost(_net, 100 * seed) { Delay = Between(Seconds(0.002), Seconds(0.02)) };
        for (int i = 0; i < Pairs; i++)
        {
            bool isHard = Chance(0.5);
            DeviceHost a = NewDevice(2 * i, isHard), b = NewDevice((2 * i) + 1, isHard);
            _pairs.Add((a, b));
        }
    }

    public static IReadOnlyList<Bar> Bars { get; } = 
    [
        Bar.Within(Connected, Seconds(3)), Bar.Within(AfterBlink, Seconds(2)), Bar.Within(AfterRestart, Seconds(2)), Bar.Within(AfterAbsence, Seconds(2)), Bar.Within(Relayed, Seconds(3)),
    ];

    private IEnumerable<DeviceHost> Devices => _pairs.SelectMany(pair => new[] { pair.A, pair.B });

    public override void Run()
    {
        foreach ((DeviceHost a, DeviceHost b) in _pairs)
        {
            a.Start(b, dials: true);
            b.Start(a, dials: false);
        }

        TimeSpan? connected = _net.Until(() => Devices.All(device => device.Peer is not null), Seconds(10));
        Require(connected is not null, "not connected within 10 s");
        Measure(Connected, connected);
        _pairs.ForEach(pair => pair.A.IsSending = Chance(0.4));
        _net.Run(Between(Seconds(4), Seconds(8)));
        Restart(Between(Seconds(3), Seconds(5)), AfterRestart);
        Restart(Between(Seconds(0.2), Seconds(3)), AfterBlink);
        Restart(Between(Seconds(10), Seconds(20)), AfterAbsence);
        Require(_net.Until(() => Devices.All(device => device.Peer is not null), Seconds(20)) is not null, "a session was not opened again");
        Steps = _net.Datagrams;
    }

    private void Restart(TimeSpan away, string measured)
    {
        int[] before = [.. Devices.Select(device => device.Attempts)];
        (DeviceHost A, DeviceHost B)[] relayed = [.. _pairs.Where(pair => pair.A.IsSending && !pair.A.IsDirect)];
        (DeviceHost A, DeviceHost B)[] direct = [.. _pairs.Where(pair => pair.A.IsSending && pair.A.IsDirect && pair.B.IsDirect)];
        Note($"{_net.Now.TotalSeconds - 1000:0.000} s: the beacon is killed for {away.TotalSeconds:0.0} s");
        Array.ForEach(direct, pair => pair.B.Bulk!.Mark());
        _beacon.Kill();
        _net.Run(away);
        int dials = Devices.Zip(before, (device, count) => device.Attempts - count).Max();
        Require(dials <= 3 + (2 * away.TotalSeconds), $"{dials} attempts in {away.TotalSeconds:0.0} s");
        ulong[] read = [.. relayed.Select(pair => pair.B.Bulk!.Read)];
        int[] sessions = [.. relayed.Select(pair => pair.B.Sessions)];
        _beacon.Restart();
        TimeSpan back = _net.Now;
        var registered = new HashSet<DeviceHost>();
        var moving = new HashSet<DeviceHost>();
        _net.Until(() => Look() && registered.Count == 2 * Pairs && moving.Count == relayed.Length, Seconds(30));
        Require(registered.Count == 2 * Pairs, $"{registered.Count} of {2 * Pairs} are registered again");
        Require(moving.Count == relayed.Length, $"{moving.Count} of {relayed.Length} relayed transfers go on");
        foreach ((DeviceHost _, DeviceHost b) in direct)
        {
            Require(b.Bulk!.LongestPauseUpToNow < Seconds(1), $"a transfer on a direct path stood still for {b.Bulk.LongestPauseUpToNow}");
        }

        _net.Run(Seconds(5));

        bool Look()
        {
            foreach (DeviceHost device in Devices.Where(device => device.IsRegistered && device.RegisteredAt > back && registered.Add(device)))
            {
                Measure(measured, _net.Now - back);
            }

            for (int i = 0; i < relayed.Length; i++)
            {
                DeviceHost b = relayed[i].B;
                if (b.Bulk!.Read > (b.Sessions == sessions[i] ? read[i] + 5_000 : 5_000) && moving.Add(b))
                {
                    Measure(measured == AfterRestart ? Relayed : measured.Replace("registered again", "relayed transfer moves", StringComparison.Ordinal), _net.Now - back);
                }
            }

            return true;
        }
    }

    private DeviceHost NewDevice(int number, bool isHard) =>
        new(_net, _beacon, (100 * Seed) + 10 + (10 * number), new SimNat(isHard ? NatType.Symmetric : NatType.PortRestricted, IPAddress.Parse($"198.51.100.{1 + number}"), Random))
        {
            Delay = Between(Seconds(0.002), Seconds(0.05)),
            Rate = 5e5,
        };
}
