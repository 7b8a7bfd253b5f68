using AgentMesh.Node.Control;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>Two devices at home, each with more interfaces for containers than a list of addresses has room, and somebody else where one looks for the other.</summary>
[Collection(Alone.Name)]
public sealed class TrapTests
{
    [SkippableFact]
    public async Task Bridges_that_all_have_and_somebody_else_at_the_address_of_a_device_do_not_keep_two_from_a_direct_path()
    {
        using NatLab? lab = NatLab.TryBuild(out string whyNot);
        Skip.If(lab is null, $"a network with NATs cannot be made here: {whyNot}");
        await using Meeting meeting = await Meeting.PairedAsync(lab);
        string homeOfA = lab.Home("a", NatKind.PortRestrictedCone()), homeOfB = lab.Home("b", NatKind.PortRestrictedCone());
        Bridges.Crowd(homeOfA, pairs: 17);
        Bridges.Crowd(homeOfB, pairs: 17);
        string container = Bridges.Container(homeOfA, "192.168.2", 2);
        try
        {
            await using var other = new TestNode("other") { Namespace = container, Listen = "0.0.0.0", Port = meeting.B.Port };
            await other.UpAsync();
            await meeting.GoHomeAsync(homeOfA, homeOfB);

            Assert.Equal("3\n", (await meeting.A.RunAsync("--timeout", "20s", "@b", "calc", "1+2")).Out);
            await meeting.IsDirectAsync();

            Assert.Equal("203.0.113.2", (await Meeting.PeerOf(meeting.A)).Address!.Split(':')[0]);
            StatusView a = await meeting.A.StatusAsync();
            Assert.Equal(32, a.Addresses.Count);
            Assert.StartsWith("192.168.1.2:", a.Addresses[0], StringComparison.Ordinal);
            Assert.Contains($"172.17.0.1:{meeting.A.Port}", a.Addresses);
            Assert.DoesNotContain(await other.PeersAsync(), peer => !peer.IsLocal);
            Assert.Equal("42\n", (await meeting.B.RunAsync("--timeout", "20s", "@a", "calc", "6*7")).Out);
        }
        finally
        {
            Bridges.Remove(container);
        }
    }
}
