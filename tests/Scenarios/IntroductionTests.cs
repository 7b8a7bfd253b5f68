using System.Text.Json;
using AgentMesh.Node.Control;
using Scenarios.Harness;

namespace Scenarios;

public sealed class IntroductionTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Where_it_needs_a_grant_a_device_lets_others_in_with_it_and_they_stay_or_go_when_it_ends()
    {
        await using TestNode home = new("home");
        File.WriteAllText(Path.Combine(home.Data, "agentmesh.conf"), "agentmesh.grants.introduce = granted");
        await home.UpAsync();
        await using TestNode host = await TestNode.StartAsync("host");
        await using TestNode first = await TestNode.StartAsync("first");
        await using TestNode second = await TestNode.StartAsync("second");
        await home.PairWithAsync(host);
        await host.PairWithAsync(first);
        await Eventually.HoldsAsync(async () => (await home.RunAsync("@host", "calc", "1")).Out == "1\n", "they are linked", Minute);
        Assert.Equal(1, (await home.StatusAsync()).PeersKnown);

        (await home.RunAsync("grant", "host", "introduce")).Done();
        await Eventually.HoldsAsync(async () => (await home.RunAsync("@first", "calc", "1+1")).Out == "2\n", "the one that was introduced is reached", Minute);
        Assert.Equal("host", (await ShowAsync(home, "first")).AdmittedBy);
        Assert.Equal(["first"], (await ShowAsync(home, "host")).Introduced);

        (await home.RunAsync("grant", "host", "introduce", "--revoke")).Done();
        Assert.Equal("home", (await ShowAsync(home, "first")).AdmittedBy);
        Assert.Equal("3\n", (await home.RunAsync("@first", "calc", "1+2")).Out);

        (await home.RunAsync("grant", "host", "introduce")).Done();
        await host.PairWithAsync(second);
        await Eventually.HoldsAsync(async () => (await home.PeersAsync()).Any(peer => peer.Name == "second" && peer.State == "connected"), "another one is there", Minute);
        (await home.RunAsync("grant", "host", "introduce", "--revoke", "--drop-introduced")).Done();
        Assert.Equal(2, (await home.StatusAsync()).PeersKnown);
        await Eventually.HoldsAsync(async () => (await second.PeersAsync()).Any(peer => peer.Name == "home" && peer.State != "connected"), "its connection has ended", Minute);
        (await home.RunAsync("@second", "calc", "1")).Refused("AM0302");
    }

    private static async Task<DeviceView> ShowAsync(TestNode on, string name) =>
        JsonSerializer.Deserialize((await on.RunAsync("--json", "devices", "show", name)).Done(), ControlJson.Default.DeviceView)!;
}
