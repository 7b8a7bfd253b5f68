using AgentMesh.Node.Control;
using Scenarios.Harness;
using Xunit.Abstractions;

namespace Scenarios;

/// <summary>A direct path through NATs of the kernel that swallows packets in the middle of a transfer and tells nobody, with a relay beside it.</summary>
[Collection(Alone.Name)]
public sealed class BlackHoleTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Bar = TimeSpan.FromSeconds(2);

    [SkippableFact]
    public async Task A_transfer_is_on_another_path_within_two_seconds()
    {
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");

        // A batch goes through a virtual cable as one long packet, however short its datagrams are.
        await using Meeting meeting = await Meeting.PairedAsync("0.0.0.0", lab, [], "agentmesh.udp.offload = off");
        await meeting.GoHomeAsync(lab.Home("a", NatKind.PortRestrictedCone()), lab.Home("b", NatKind.PortRestrictedCone()));
        await Eventually.HoldsAsync(async () => (await meeting.B.RunAsync("grant", "a", "run")).Code == 0, "programs are allowed");
        await using Flow flow = await Flow.StartAsync(meeting.A, meeting.B);
        ConnectionView session = (await meeting.A.ConnectionsAsync("b")).First(each => each.State == "open");
        var bars = new Bars(output);
        const string fromB = "ip saddr 203.0.113.2", toB = "ip daddr 203.0.113.2";
        await SwallowAsync("everything", fromB, toB);
        await SwallowAsync("one direction: what is written", fromB);
        await SwallowAsync("one direction: what is acknowledged", toB);
        await SwallowAsync("more than 900 bytes", $"{fromB} meta length > 900", $"{toB} meta length > 900");

        output.WriteLine($"{await flow.EndAsync()} bytes");
        Assert.Equal(session.OpenedAt, (await meeting.A.ConnectionsAsync("b")).First(each => each.State == "open").OpenedAt);
        bars.AllHeld();

        Task SwallowAsync(string what, params string[] packets) => bars.HoldAsync(what, Bar, async () =>
        {
            await meeting.IsDirectAsync();
            TimeSpan pause = await flow.PauseOfAsync(() => lab.Swallow(meeting.A.Namespace!, packets));
            if (packets is [fromB, toB])
            {
                Assert.StartsWith("relay via", (await Meeting.PeerOf(meeting.A)).Path, StringComparison.Ordinal);
            }

            lab.Swallow(meeting.A.Namespace!);
            return pause;
        });
    }
}
