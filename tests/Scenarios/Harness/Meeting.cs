using AgentMesh.Node.Control;

namespace Scenarios.Harness;

/// <summary>Devices that were paired on the internet's own network and then went home.</summary>
internal sealed class Meeting : IAsyncDisposable
{
    private const string BeaconAddress = "203.0.113.10";
    private const string BeaconName = "beacon.test";

    private readonly LabNames _names = new();
    private readonly (string, string)[] _places;

    private Meeting(NatLab lab, TestBeacon beacon, (string, string)[] places, string listen)
    {
        Lab = lab;
        Beacon = beacon;
        _places = places;
        A = new TestNode("a") { Namespace = lab.Internet, Listen = listen };
        B = new TestNode("b") { Namespace = lab.Internet, Listen = listen };
    }

    public NatLab Lab { get; }

    public TestBeacon Beacon { get; }

    public TestNode A { get; }

    public TestNode B { get; }

    public static async Task<PeerView> PeerOf(TestNode node) => (await node.PeersAsync()).Single(peer => !peer.IsLocal);

    public static async Task<Meeting> AtHomeAsync(NatLab lab, string? natOfA, string? natOfB, params string[] beaconOptions)
    {
        Meeting meeting = await PairedAsync(lab, beaconOptions);
        await meeting.GoHomeAsync(lab.Home("a", natOfA), lab.Home("b", natOfB));
        return meeting;
    }

    public static Task<Meeting> PairedAsync(NatLab lab, params string[] beaconOptions) => PairedAsync("0.0.0.0", lab, beaconOptions);

    /// <param name="listen">Local addresses of the devices, with a space between. Where IPv6 is among them, the beacon has it too, and a name that leads to both.</param>
    public static Task<Meeting> PairedAsync(string listen, NatLab lab, params string[] beaconOptions) => PairedAsync(listen, lab, beaconOptions, "");

    /// <inheritdoc cref="PairedAsync(string, NatLab, string[])"/>
    /// <param name="settings">More of them, of both devices.</param>
    public static async Task<Meeting> PairedAsync(string listen, NatLab lab, string[] beaconOptions, string settings)
    {
        string host = lab.Host("beacon", BeaconAddress);
        bool hasIpv6 = listen.Contains(':', StringComparison.Ordinal);
        (string, string)[] places = hasIpv6 ? [(BeaconName, BeaconAddress), (BeaconName, lab.GiveIpv6(host))] : [];
        TestBeacon beacon = hasIpv6
            ? await TestBeacon.StartAsync(host, BeaconName, [.. beaconOptions, "--listen", $"[::]:{TestBeacon.Port}"])
            : await TestBeacon.StartAsync(host, BeaconAddress, beaconOptions);
        var meeting = new Meeting(lab, beacon, places, listen);
        meeting.TellNames();
        foreach (TestNode node in new[] { meeting.A, meeting.B })
        {
            File.WriteAllText(Path.Combine(node.Data, "agentmesh.conf"), $"agentmesh {{ {beacon.Setting}, discovery.lan.enabled = off }}\n{settings}\n");
        }

        await Task.WhenAll(meeting.A.UpAsync(), meeting.B.UpAsync());
        await meeting.A.PairWithAsync(meeting.B);
        await meeting.LeaveAsync();
        return meeting;
    }

    /// <summary>Both leave where they are.</summary>
    public async Task LeaveAsync()
    {
        Assert.All(await Task.WhenAll(A.RunAsync("down"), B.RunAsync("down")), ran => Assert.True(ran.Code == 0, ran.ToString()));
    }

    public async Task GoHomeAsync(string homeOfA, string homeOfB)
    {
        A.Namespace = homeOfA;
        B.Namespace = homeOfB;
        TellNames();
        await Task.WhenAll(A.UpAsync(), B.UpAsync());
    }

    /// <summary>
    /// From when both were registered with the beacon, and so could hear of each other: to the first data over any path, and to when both sent directly. By the logs of both.
    /// </summary>
    public (TimeSpan? Data, TimeSpan? Direct) Times()
    {
        string[][] logs = [Life(A), Life(B)];
        if (Array.Exists(logs, log => log.Length == 0))
        {
            return (null, null);
        }

        DateTimeOffset start = logs.Max(log => TimeOf(log[0]));
        return (Since("the path to"), Since(" is direct"));

        TimeSpan? Since(string words)
        {
            string?[] first = [.. logs.Select(log => Array.Find(log, line => line.Contains("the path to", StringComparison.Ordinal) && line.Contains(words, StringComparison.Ordinal)))];
            TimeSpan latest = first.Max(line => line is null ? TimeSpan.MaxValue : TimeOf(line) - start);
            return latest == TimeSpan.MaxValue ? null : latest > TimeSpan.Zero ? latest : TimeSpan.Zero;
        }
    }

    // Since it was registered last.
    private static string[] Life(TestNode node)
    {
        string[] all = File.ReadAllLines(Path.Combine(node.Data, "node.log"));
        int start = Array.FindLastIndex(all, line => line.Contains("registered with the beacon", StringComparison.Ordinal));
        return start < 0 ? [] : all[start..];
    }

    private static DateTimeOffset TimeOf(string line) => DateTimeOffset.Parse(line.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);

    public Task IsDirectAsync() => Eventually.HoldsAsync(
        async () => (await PeerOf(A)).Path == "direct" && (await PeerOf(B)).Path == "direct", "both send directly", TimeSpan.FromMinutes(2));

    public async ValueTask DisposeAsync()
    {
        await A.DisposeAsync();
        await B.DisposeAsync();
        await Beacon.DisposeAsync();
        _names.Dispose();
    }

    private void TellNames()
    {
        foreach (string home in _places.Length > 0 ? new[] { A.Namespace!, B.Namespace! } : [])
        {
            _names.Set(home, _places);
        }
    }
}
