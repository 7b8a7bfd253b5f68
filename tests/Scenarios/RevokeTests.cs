using System.Text.Json;
using AgentMesh.Node.Control;
using Scenarios.Harness;

namespace Scenarios;

public sealed class RevokeTests
{
    [Fact]
    public async Task A_revoked_device_loses_its_programs_and_its_connections_on_every_device()
    {
        await using TestNode keeper = await TestNode.StartAsync("keeper");
        await using TestNode other = await TestNode.StartAsync("other");
        await using TestNode lost = await TestNode.StartAsync("lost");
        await keeper.PairWithAsync(other);
        await keeper.PairWithAsync(lost);
        await other.PairWithAsync(lost);
        foreach (TestNode node in (TestNode[])[keeper, other])
        {
            await Eventually.HoldsAsync(async () => (await node.RunAsync("grant", "lost", "run")).Code == 0, "the grant is given", TimeSpan.FromMinutes(1));
            (await lost.RunAsync("run", "--detach", "@" + node.Name, "--", "sleep", "600")).Done();
            await Eventually.HoldsAsync(() => Task.FromResult(node.Shims() is [{ Program: > 0 }]), $"the program runs on {node.Name}", TimeSpan.FromMinutes(1));
        }

        int[] programs = [.. keeper.Shims().Concat(other.Shims()).Select(shim => shim.Program)];
        Assert.All(programs, program => Assert.True(Directory.Exists($"/proc/{program}")));

        RevokedView done = JsonSerializer.Deserialize((await keeper.RunAsync("--json", "devices", "revoke", "lost")).Done(), ControlJson.Default.RevokedView)!;
        RevokedDeviceView gone = Assert.Single(done.Devices);
        Assert.Equal(("lost", true, 1), (gone.Name, gone.WasConnected, gone.EndedJobs.Count));
        Assert.Equal(["run"], gone.Grants);
        // Within which time it answers is the machine's matter.
        Assert.Equal(["other"], done.Told.Concat(done.NotYetTold));

        await Eventually.HoldsAsync(() => Task.FromResult(!programs.Any(program => Directory.Exists($"/proc/{program}"))), "both programs have ended", TimeSpan.FromMinutes(1));
        await Eventually.HoldsAsync(async () => (await lost.StatusAsync()).PeersConnected == 0, "nobody is connected with it", TimeSpan.FromMinutes(1));
        (await lost.RunAsync("@other", "calc", "1")).Refused("AM0304");
        foreach (TestNode node in (TestNode[])[keeper, other])
        {
            IReadOnlyList<DeviceView> devices = JsonSerializer.Deserialize((await node.RunAsync("--json", "devices", "list")).Done(), ControlJson.Default.IReadOnlyListDeviceView)!;
            DeviceView revoked = Assert.Single(devices, device => device.State == "revoked");
            Assert.Equal(("lost", "keeper"), (revoked.Name, revoked.RevokedBy));
            Assert.Empty(revoked.Grants);
        }

        Assert.Equal("2\n", (await keeper.RunAsync("@other", "calc", "2")).Done());
    }

    [Fact]
    public async Task With_all_nobody_is_left_and_who_is_paired_again_is_back()
    {
        await using TestNode keeper = await TestNode.StartAsync("keeper");
        await using TestNode one = await TestNode.StartAsync("one");
        await using TestNode two = await TestNode.StartAsync("two");
        await keeper.PairWithAsync(one);
        await keeper.PairWithAsync(two);
        await Eventually.HoldsAsync(async () => (await one.RunAsync("@two", "calc", "2")).Out == "2\n", "all work together", TimeSpan.FromMinutes(1));

        (await keeper.RunAsync("devices", "revoke", "--all")).Refused("AM0141");
        RevokedView done = JsonSerializer.Deserialize((await keeper.RunAsync("--json", "devices", "revoke", "--all", "--yes")).Done(), ControlJson.Default.RevokedView)!;
        Assert.Equal(["one", "two"], done.Devices.Select(device => device.Name).Order());
        await Eventually.HoldsAsync(
            async () => (await keeper.StatusAsync()).PeersConnected + (await one.StatusAsync()).PeersConnected + (await two.StatusAsync()).PeersConnected == 0, "nobody is connected with anybody", TimeSpan.FromMinutes(1));
        (await keeper.RunAsync("@one", "calc", "1")).Refused("AM0302");
        Assert.Equal(2, JsonSerializer.Deserialize((await keeper.RunAsync("--json", "devices", "list")).Done(), ControlJson.Default.IReadOnlyListDeviceView)!.Count(device => device.State == "revoked"));

        await keeper.PairWithAsync(one);
        await Eventually.HoldsAsync(async () => (await keeper.RunAsync("@one", "calc", "3")).Out == "3\n", "the one that was paired again is back", TimeSpan.FromMinutes(1));
    }
}
