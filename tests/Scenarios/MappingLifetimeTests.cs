using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using AgentMesh.Node.Control;
using Scenarios.Harness;
using Xunit.Abstractions;

namespace Scenarios;

/// <summary>
/// Boxes of the kernel that forget a connection after seconds of silence (conntrack), before devices that have nothing to say to each other: who is spoken to first is there at
/// once, and no more is sent meanwhile than docs/protocol/wire-v1.md says. All networks at the same time, since almost all of it is waiting.
/// </summary>
[Collection(Alone.Name)]
public sealed class MappingLifetimeTests(ITestOutputHelper output)
{
    private const string OutsideOfA = "203.0.113.1", OutsideOfB = "203.0.113.2";

    private const int Lifetime = 5;

    // Nothing is said by what is above connections: what is left is their own.
    private const string Quiet =
        """
        agentmesh.link.refresh = 1h
        akka.cluster { gossip-interval = 1h, failure-detector.heartbeat-interval = 1h, sharding.report-interval = 1h }
        akka.remote.watch-failure-detector.heartbeat-interval = 1h
        """;

    private static readonly TimeSpan Bar = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DirectBar = TimeSpan.FromSeconds(5);

    [SkippableFact]
    public async Task Who_is_spoken_to_after_silence_is_there_at_once_behind_boxes_that_forget_within_seconds()
    {
        using (NatLab? probe = NatLab.TryBuild(out string whyNot))
        {
            Skip.If(probe is null, $"a network with NATs cannot be made here: {whyNot}");
            string refused = new Box(probe.Home("probe", NatKind.PortRestrictedCone())).KeepFor(Lifetime);
            Skip.If(refused.Length > 0, $"this kernel does not let a namespace say how long it keeps mappings: {refused}");
        }

        var bars = new Bars(output);
        await Task.WhenAll(
            InLabAsync(lab => TalkingAsync(lab, bars)), InLabAsync(lab => SilentAsync(lab, bars, first: "a")), InLabAsync(lab => SilentAsync(lab, bars, first: "b")), InLabAsync(lab => AloneAsync(lab, bars)),
            InLabAsync(lab => FoundAsync(lab, NatKind.PortRestrictedCone())), InLabAsync(lab => FoundAsync(lab, NatKind.Symmetric())));
        bars.AllHeld();
    }

    private static Task InLabAsync(Func<NatLab, Task> test) => Task.Run(async () =>
    {
        using NatLab lab = NatLab.TryBuild(out string whyNot) ?? throw new InvalidOperationException(whyNot);
        await test(lab);
    });

    /// <summary>As it is without any settings: devices of one mesh never are silent for so long, and their ports stay.</summary>
    private async Task TalkingAsync(NatLab lab, Bars bars)
    {
        await using Meeting meeting = await Meeting.AtHomeAsync(lab, NatKind.PortRestrictedCone(), NatKind.PortRestrictedCone());
        (Box a, Box b) = Boxes(meeting);
        await meeting.IsDirectAsync();

        // Ports that were tried meanwhile end.
        await Task.Delay(TimeSpan.FromSeconds(Lifetime + 1));
        string ports = PortsOf(a, b);
        _ = a.Counted();
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < TimeSpan.FromSeconds(4 * Lifetime))
        {
            await Task.Delay(TimeSpan.FromSeconds(1));
            Assert.Equal(ports, PortsOf(a, b));
        }

        Tell($"devices of one mesh, idle: {PerSecond(a.Counted(), watch.Elapsed)}");
        await FirstPingAsync(bars, meeting.A, "b", "idle devices of one mesh, from one side");
        await FirstPingAsync(bars, meeting.B, "a", "idle devices of one mesh, from the other");
        await CommandAsync(meeting.A, "b");
        Assert.All(await Task.WhenAll(Meeting.PeerOf(meeting.A), Meeting.PeerOf(meeting.B)), peer => Assert.Equal("direct", peer.Path));
    }

    /// <summary>As it is without any settings: no port is ever silent, and what the boxes bear is found all the same, whether they give out the same port again or another one.</summary>
    private async Task FoundAsync(NatLab lab, string nat)
    {
        const int lifetime = 20, lives = 18, dies = 28;
        await using Meeting meeting = await Meeting.PairedAsync(lab);
        (string a, string b) = (lab.Home("a", nat), lab.Home("b", NatKind.PortRestrictedCone()));
        Assert.Equal("", new Box(a).KeepFor(lifetime));
        await meeting.GoHomeAsync(a, b);
        var watch = Stopwatch.StartNew();
        await Eventually.HoldsAsync(async () => (await meeting.A.StatusAsync()).Nat?.PortDiesMs is not null, "it is found after how much silence a port ends", TimeSpan.FromMinutes(2));
        Tell($"found after {watch.Elapsed.TotalSeconds:0.0} s behind a box that forgets after {lifetime} s ({nat.Length} characters of rules)");
        NatView found = (await meeting.A.StatusAsync()).Nat!;
        Assert.Equal((1000.0 * lives, 1000.0 * dies), (found.PortLivesMs, found.PortDiesMs));
        string doctor = (await meeting.A.RunAsync("doctor")).Out;
        Assert.Contains($"ports end after {lives} to {dies} s of silence", doctor, StringComparison.Ordinal);
        output.WriteLine(doctor.Split('\n').First(line => line.Contains("ports end after", StringComparison.Ordinal)));
        PathView inUse = await InUseAsync(meeting.A);
        Assert.Equal(2000, inUse.KeepAliveMs); // as it is set: what was found is longer
        Assert.Equal(inUse.Kind == "direct" ? 1000 * lives : null, inUse.PortSilenceMs);
    }

    /// <summary>With a relay beside it a direct path that nobody uses is left alone, and the boxes forget it.</summary>
    private async Task SilentAsync(NatLab lab, Bars bars, string first)
    {
        await using Meeting meeting = await QuietAtHomeAsync(lab, NatKind.PortRestrictedCone(), NatKind.PortRestrictedCone(), "");
        (Box a, Box b) = Boxes(meeting);
        await meeting.IsDirectAsync();
        (TestNode here, string there) = first == "a" ? (meeting.A, "b") : (meeting.B, "a");
        await FirstPingAsync(bars, here, there, $"both silent, their ports gone, from {first}", async () =>
        {
            (int, int)[] counted = [];
            await Eventually.HoldsAsync(
                async () =>
                {
                    _ = a.Counted();
                    _ = b.Counted();
                    await Task.Delay(TimeSpan.FromSeconds(Lifetime + 1));
                    counted = [a.Counted(), b.Counted()];
                    return counted.All(each => each == (0, 0));
                },
                () => $"nothing is sent on a path that nobody uses ({string.Join(' ', counted)} packets)",
                TimeSpan.FromSeconds(90));
            Assert.Empty(a.PortsTowards(OutsideOfB));
            Assert.Empty(b.PortsTowards(OutsideOfA));
            Assert.Equal("direct", (await Meeting.PeerOf(here)).Path);
        });
        var watch = Stopwatch.StartNew();
        await meeting.IsDirectAsync();
        Tell($"both silent, from {first}: direct (again) {watch.Elapsed.TotalSeconds:0.00} s after the answer");
        Assert.True(watch.Elapsed < DirectBar, $"direct again after {watch.Elapsed}");
        await CommandAsync(here, there);
    }

    /// <summary>
    /// Without a relay the path is all there is. The first box gives another port after each silence; the second one lets them in. The first device learns after how much silence its
    /// port ends, and asks sooner from then on.
    /// </summary>
    private async Task AloneAsync(NatLab lab, Bars bars)
    {
        const int asSet = 12;
        await using Meeting meeting = await QuietAtHomeAsync(lab, NatKind.Symmetric(), NatKind.FullCone(), $"agentmesh.link.keepalive = {asSet}s, agentmesh.link.dead-after = {asSet + 8}s");
        (Box a, Box b) = Boxes(meeting);
        await meeting.IsDirectAsync();
        Assert.Equal(1000 * asSet, (await InUseAsync(meeting.A)).KeepAliveMs);
        await meeting.Beacon.KillAsync();
        foreach (TestNode node in new[] { meeting.A, meeting.B })
        {
            await Eventually.HoldsAsync(async () => (await Meeting.PeerOf(node)).Paths is [{ Kind: "direct" }], "there is no relay any more", TimeSpan.FromMinutes(1));
        }

        var watch = Stopwatch.StartNew();
        await Eventually.HoldsAsync(async () => (await InUseAsync(meeting.A)).KeepAliveMs < 1000 * Lifetime, "the device learns how long its port lives", TimeSpan.FromMinutes(2));
        PathView learned = await InUseAsync(meeting.A);
        TimeSpan every = TimeSpan.FromMilliseconds(learned.KeepAliveMs!.Value);
        Tell($"alone: keepalive of {asSet} s became {every.TotalSeconds:0.0} s within {watch.Elapsed.TotalSeconds:0} s; a port was lost after {learned.PortSilenceMs / 1000:0.0} s");
        Assert.InRange(learned.PortSilenceMs!.Value, 1000 * (Lifetime - 1), 1000 * asSet * 1.1);
        string paths = (await meeting.A.RunAsync("peers", "--paths")).Done();
        output.WriteLine(paths);
        Assert.Contains(" of silence", paths, StringComparison.Ordinal);

        // A PING and an ACK each time; what was under way at either end, and perhaps an address that is told.
        IReadOnlyList<int> ports = a.PortsTowards(OutsideOfB);
        Assert.Single(ports);
        _ = a.Counted();
        watch.Restart();
        await Task.Delay(TimeSpan.FromSeconds(4 * Lifetime));
        (int sent, int arrived) = a.Counted();
        int exchanges = (int)(watch.Elapsed / every);
        Tell($"alone, idle: {PerSecond((sent, arrived), watch.Elapsed)}; {exchanges} times in {watch.Elapsed.TotalSeconds:0.0} s a PING and an ACK were due");
        Assert.InRange(sent, exchanges - 1, exchanges + 2);
        Assert.InRange(arrived, exchanges - 1, exchanges + 2);
        Assert.Equal(ports, a.PortsTowards(OutsideOfB));
        await FirstPingAsync(bars, meeting.B, "a", "alone, its port kept by what was learned, from outside");
        await FirstPingAsync(bars, meeting.A, "b", "alone, from inside");
        await CommandAsync(meeting.B, "a");
    }

    private static async Task<Meeting> QuietAtHomeAsync(NatLab lab, string natOfA, string natOfB, string more)
    {
        Meeting meeting = await Meeting.PairedAsync("0.0.0.0", lab, [], $"{Quiet}\n{more}");
        await meeting.GoHomeAsync(lab.Home("a", natOfA), lab.Home("b", natOfB));
        return meeting;
    }

    private static (Box A, Box B) Boxes(Meeting meeting)
    {
        (Box a, Box b) = (new Box(meeting.A.Namespace!), new Box(meeting.B.Namespace!));
        Assert.Equal("", a.KeepFor(Lifetime) + b.KeepFor(Lifetime));
        a.Count(OutsideOfB);
        b.Count(OutsideOfA);
        return (a, b);
    }

    private static string PortsOf(Box a, Box b) => $"{string.Join(',', a.PortsTowards(OutsideOfB))} and {string.Join(',', b.PortsTowards(OutsideOfA))}";

    private static async Task<PathView> InUseAsync(TestNode node) => (await Meeting.PeerOf(node)).Paths![0];

    /// <summary>The first question after silence, by the node's own clock; where the bar is missed, after another silence.</summary>
    private static Task FirstPingAsync(Bars bars, TestNode from, string to, string what, Func<Task>? silence = null) => bars.HoldAsync(what, Bar, async () =>
    {
        await (silence?.Invoke() ?? Task.CompletedTask);
        Ran ran = await from.RunAsync("--json", "ping", to, "-c", "1");
        PingSummaryView summary = JsonSerializer.Deserialize(ran.Done().Trim().Split('\n')[^1], ControlJson.Default.PingEvent)!.Summary!;
        Assert.Equal((1, 1), (summary.Sent, summary.Answered));
        return TimeSpan.FromMilliseconds(summary.MaxMs!.Value);
    });

    private static async Task CommandAsync(TestNode from, string to) => Assert.Equal("3\n", (await from.RunAsync("--timeout", "10s", $"@{to}", "calc", "1+2")).Done());

    private static string PerSecond((int Sent, int Arrived) counted, TimeSpan time) => string.Create(
        CultureInfo.InvariantCulture, $"{counted.Sent} packets out and {counted.Arrived} in within {time.TotalSeconds:0.0} s, {(counted.Sent + counted.Arrived) / time.TotalSeconds:0.0} a second");

    private void Tell(FormattableString what) => output.WriteLine(what.ToString(CultureInfo.InvariantCulture));
}
