using System.Text.Json;
using AgentMesh.Node.Control;
using Scenarios.Harness;

namespace Scenarios;

public sealed class CompromisedTests
{
    [Fact]
    public async Task A_device_that_gives_its_key_up_is_out_everywhere_and_comes_back_as_another_also_when_one_is_silent()
    {
        await using TestNode burnt = await TestNode.StartAsync("burnt");
        await using TestNode friend = await TestNode.StartAsync("friend");
        await using TestNode silent = await TestNode.StartAsync("silent");
        await burnt.PairWithAsync(friend);
        await burnt.PairWithAsync(silent);
        await friend.PairWithAsync(silent);
        await Eventually.HoldsAsync(async () => (await burnt.StatusAsync()).PeersConnected == 2, "all are linked", TimeSpan.FromMinutes(1));
        await burnt.RunAsync("grant", "friend", "run");
        (await friend.RunAsync("run", "--detach", "@burnt", "--", "sleep", "600")).Done();
        await Eventually.HoldsAsync(() => Task.FromResult(burnt.Shims() is [{ Program: > 0 }]), "a program of a friend runs", TimeSpan.FromMinutes(1));
        int program = burnt.Shims()[0].Program;
        string before = (await burnt.StatusAsync()).Id;
        (await burnt.RunAsync("compromised")).Refused("AM0141");

        silent.Signal("STOP");
        CompromisedView done;
        try
        {
            done = JsonSerializer.Deserialize((await burnt.RunAsync("--json", "compromised", "--yes")).Done(), ControlJson.Default.CompromisedView)!;
        }
        finally
        {
            silent.Signal("CONT");
        }

        Assert.Equal((before, 1), (done.Id, done.EndedJobs.Count));
        Assert.Equal(["friend"], done.Acknowledged);
        Assert.Equal(["silent"], done.Silent);
        Assert.False(Directory.Exists($"/proc/{program}"));
        Assert.False(File.Exists(Path.Combine(burnt.Data, "identity")));

        // The one that was silent hears it from the other.
        foreach (TestNode node in (TestNode[])[friend, silent])
        {
            await Eventually.HoldsAsync(async () => (await node.PeersAsync()).All(peer => peer.Id != before), $"it is out on {node.Name}", TimeSpan.FromMinutes(1));
            IReadOnlyList<DeviceView> devices = JsonSerializer.Deserialize((await node.RunAsync("--json", "devices", "list")).Done(), ControlJson.Default.IReadOnlyListDeviceView)!;
            Assert.Equal("burnt", Assert.Single(devices, device => device.Id == before && device.State == "revoked").RevokedBy);
        }

        await burnt.UpAsync();
        StatusView fresh = await burnt.StatusAsync();
        Assert.NotEqual(before, fresh.Id);
        Assert.Equal(0, fresh.PeersKnown);
        Assert.True(File.Exists(Path.Combine(done.OldData, "registry")));
        Assert.False(File.Exists(Path.Combine(done.OldData, "identity")));
        await burnt.PairWithAsync(friend);
        await Eventually.HoldsAsync(async () => (await burnt.RunAsync("@friend", "calc", "1")).Out == "1\n", "it is in again as another", TimeSpan.FromMinutes(1));
    }
}
