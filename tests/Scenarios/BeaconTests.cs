using System.Diagnostics;
using AgentMesh.Node.Control;
using Scenarios.Harness;
using Xunit.Abstractions;

namespace Scenarios;

/// <summary>Two devices in homes behind NATs of the kernel, and a beacon on the internet between.</summary>
[Collection("processes")]
public sealed class BeaconTests(ITestOutputHelper output)
{
    private const string BeaconAddress = "203.0.113.10";

    public static TheoryData<string, string, bool> Pairs => new()
    {
        { "none", "port-restricted", true },
        { "full-cone", "full-cone", true },
        { "full-cone", "symmetric", true },
        { "port-restricted", "full-cone", true },
        { "port-restricted", "port-restricted", true },
        { "port-restricted", "symmetric", false },
        { "symmetric", "symmetric", false },
    };

    [SkippableTheory]
    [MemberData(nameof(Pairs))]
    public async Task Two_devices_behind_NATs_work_together_at_once_and_directly_where_that_is_possible(string left, string right, bool becomesDirect)
    {
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        await using Meeting meeting = await Meeting.AtHomeAsync(lab, Nat(left), Nat(right));

        Assert.Equal("3\n", (await meeting.A.RunAsync("--timeout", "20s", "@b", "calc", "1+2")).Out);
        PeerView first = await PeerOf(meeting.A);
        output.WriteLine($"{left} x {right}: linked {meeting.SinceStart.TotalSeconds:0.0} s after the start of the second node, {first.Path}");
        if (becomesDirect)
        {
            await Eventually.HoldsAsync(async () => (await PeerOf(meeting.A)).Path == "direct" && (await PeerOf(meeting.B)).Path == "direct", "both send directly");
            output.WriteLine($"direct {meeting.SinceStart.TotalSeconds:0.0} s after it");
        }
        else
        {
            await Eventually.HoldsAsync(async () => (await PeerOf(meeting.A)).RelayedCode == "no-answer" || (await PeerOf(meeting.B)).RelayedCode == "no-answer", "it is said why the path is relayed");
            output.WriteLine((await meeting.A.RunAsync("peers")).ToString());
        }

        Assert.Equal("42\n", (await meeting.B.RunAsync("--timeout", "20s", "@a", "calc", "6*7")).Out);
    }

    private static string? Nat(string kind) => kind switch
    {
        "none" => null,
        "full-cone" => NatKind.FullCone(),
        "port-restricted" => NatKind.PortRestrictedCone(),
        _ => NatKind.Symmetric(),
    };

    private static async Task<PeerView> PeerOf(TestNode node) => (await node.PeersAsync()).Single(peer => !peer.IsLocal);

    /// <summary>Devices that were paired on the internet's own network and then went home.</summary>
    private sealed class Meeting : IAsyncDisposable
    {
        private readonly Stopwatch _watch = new();

        private Meeting(NatLab lab, TestBeacon beacon)
        {
            Lab = lab;
            Beacon = beacon;
            A = new TestNode("a") { Namespace = lab.Internet, Listen = "0.0.0.0" };
            B = new TestNode("b") { Namespace = lab.Internet, Listen = "0.0.0.0" };
        }

        public NatLab Lab { get; }

        public TestBeacon Beacon { get; }

        public TestNode A { get; }

        public TestNode B { get; }

        public TimeSpan SinceStart => _watch.Elapsed;

        public static async Task<Meeting> AtHomeAsync(NatLab lab, string? natOfA, string? natOfB)
        {
            TestBeacon beacon = await TestBeacon.StartAsync(lab.Host("beacon", BeaconAddress), BeaconAddress);
            var meeting = new Meeting(lab, beacon);
            foreach (TestNode node in new[] { meeting.A, meeting.B })
            {
                File.WriteAllText(Path.Combine(node.Data, "agentmesh.conf"), $"agentmesh {{ {beacon.Setting}, discovery.lan.enabled = off }}");
                await node.UpAsync();
            }

            await meeting.A.PairWithAsync(meeting.B);
            foreach (TestNode node in new[] { meeting.A, meeting.B })
            {
                Assert.Equal(0, (await node.RunAsync("down")).Code);
            }

            meeting.A.Namespace = lab.Home("a", natOfA);
            meeting.B.Namespace = lab.Home("b", natOfB);
            await meeting.A.UpAsync();
            await meeting.B.UpAsync();
            meeting._watch.Start();
            return meeting;
        }

        public async ValueTask DisposeAsync()
        {
            await A.DisposeAsync();
            await B.DisposeAsync();
            await Beacon.DisposeAsync();
        }
    }
}
