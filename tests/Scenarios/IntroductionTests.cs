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

    [Fact]
    public async Task Where_devices_are_set_up_to_ask_those_who_join_one_meet_and_whom_one_of_them_invites_is_a_stranger_to_the_others_until_they_let_it_introduce()
    {
        await using TestNode a = await AskingAsync("a");
        await using TestNode b = await AskingAsync("b");
        await using TestNode d = await AskingAsync("d");
        await using TestNode c = await AskingAsync("c");
        await a.PairWithAsync(b);
        await a.PairWithAsync(d);
        await AnswersAsync(b, d, "the two that joined meet");
        Assert.Empty((await ShowAsync(a, "b")).Grants);
        Assert.Equal(["introduce"], (await ShowAsync(b, "a")).Grants);

        await b.PairWithAsync(c);
        await AnswersAsync(c, b, "who was invited by the second works with it");
        DeviceView waits = await Introduced(a, "c");
        Assert.Equal(("introduced", "b"), (waits.State, waits.AdmittedBy));
        Assert.Contains("agentmesh grant b introduce", (await a.RunAsync("devices", "list")).Error, StringComparison.Ordinal);
        Assert.Contains("AM0175", (await a.RunAsync("--json", "doctor")).Out, StringComparison.Ordinal);
        Assert.Contains("AM0175: b introduces c", File.ReadAllText(Path.Combine(a.Data, "node.log")), StringComparison.Ordinal);
        (await a.RunAsync("@c", "calc", "1")).Refused("AM0302");
        (await c.RunAsync("@a", "calc", "1")).Refused("AM0304");

        // All are one cluster, in which two pairs never speak. Once they call each other unreachable, nobody is put out for it, and members still come and go.
        await Eventually.HoldsAsync(async () => await UnreachableAsync(a, c) && await UnreachableAsync(c, a) && await UnreachableAsync(d, c), "those who do not speak call each other unreachable", Minute);
        (int, int) generations = ((await a.StatusAsync()).Generation, (await b.StatusAsync()).Generation);
        await using TestNode late = await AskingAsync("late");
        await a.PairWithAsync(late);
        await AnswersAsync(late, b, "who comes now is let in");
        await AnswersAsync(b, late, "and is reached");
        foreach (TestNode restarted in (TestNode[])[c, d])
        {
            (await restarted.RunAsync("down")).Done();
            await restarted.UpAsync();
            await AnswersAsync(restarted, b, $"{restarted.Name} is back");
            await AnswersAsync(b, restarted, $"and {restarted.Name} is reached");
        }

        await AnswersAsync(d, a, "the others work on");
        Assert.Equal(generations, ((await a.StatusAsync()).Generation, (await b.StatusAsync()).Generation));

        // The one between is gone for a while: what is left on both sides goes on and comes together again.
        (await b.RunAsync("down")).Done();
        await AnswersAsync(a, d, "without the one between");
        await AnswersAsync(c, c, "nor does the other side need it for itself");
        await b.UpAsync();
        await AnswersAsync(c, b, "it is back for the one side");
        await AnswersAsync(a, b, "and for the other");

        (await a.RunAsync("grant", "b", "introduce")).Done();
        await AnswersAsync(c, a, "let in, it reaches the first");
        await AnswersAsync(a, c, "and is reached");
        Assert.Equal("b", (await ShowAsync(a, "c")).AdmittedBy);
        Assert.DoesNotContain("AM0175", (await a.RunAsync("--json", "doctor")).Out, StringComparison.Ordinal);
        (await d.RunAsync("@c", "calc", "1")).Refused("AM0302");
    }

    [Fact]
    public async Task Where_everyone_introduces_so_does_who_joined_and_the_registry_stays_like_that_with_auto()
    {
        await using TestNode a = new("a");
        string settings = Path.Combine(a.Data, "agentmesh.conf");
        File.WriteAllText(settings, "agentmesh.grants.introduce = everyone");
        await a.UpAsync();
        await using TestNode b = await TestNode.StartAsync("b");
        await using TestNode c = await TestNode.StartAsync("c");
        await a.PairWithAsync(b);
        await b.PairWithAsync(c);
        await AnswersAsync(c, a, "whom the second invites is let in");
        Assert.Empty((await ShowAsync(a, "b")).Grants);

        // Its registry does not say that it asks, as that of an older version does not.
        (await a.RunAsync("down")).Done();
        File.WriteAllText(settings, "agentmesh.grants.introduce = auto");
        await a.UpAsync();
        await AnswersAsync(a, c, "nobody is put out by the setting");
    }

    [Fact]
    public async Task Who_joins_without_letting_introduce_meets_nobody_else()
    {
        await using TestNode host = await AskingAsync("host");
        await using TestNode first = await AskingAsync("first");
        await using TestNode second = await AskingAsync("second");
        (await first.RunAsync("join", "--no-introduce", (await host.RunAsync("invite", "--link")).Done().Trim())).Done();
        await host.PairWithAsync(second);
        await AnswersAsync(second, host, "the other is in");
        await AnswersAsync(first, host, "and so is this one");
        Assert.Equal("introduced", (await Introduced(first, "second")).State);
        (await first.RunAsync("@second", "calc", "1")).Refused("AM0302");
        (await second.RunAsync("@first", "calc", "1")).Refused("AM0304");
    }

    private static async Task<DeviceView> Introduced(TestNode on, string name)
    {
        await Eventually.HoldsAsync(async () => (await on.RunAsync("devices", "show", name)).Code == 0, $"{on.Name} has heard of {name}", Minute);
        return await ShowAsync(on, name);
    }

    private static async Task<TestNode> AskingAsync(string name)
    {
        var node = new TestNode(name);
        File.WriteAllText(Path.Combine(node.Data, "agentmesh.conf"), "agentmesh.grants.introduce = auto");
        await node.UpAsync();
        return node;
    }

    private static Task AnswersAsync(TestNode from, TestNode to, string what)
    {
        Ran said = default;
        return Eventually.HoldsAsync(
            async () => (said = await from.RunAsync("--timeout", "10s", "@" + to.Name, "calc", "1+1")).Out == "2\n", () => $"{what} ({from.Name} to {to.Name}); {said}", Minute);
    }

    private static async Task<bool> UnreachableAsync(TestNode on, TestNode other)
    {
        string id = (await other.StatusAsync()).Id;
        return (await on.StatusAsync()).Members.Any(member => member.Id == id && !member.Reachable);
    }

    private static async Task<DeviceView> ShowAsync(TestNode on, string name) =>
        JsonSerializer.Deserialize((await on.RunAsync("--json", "devices", "show", name)).Done(), ControlJson.Default.DeviceView)!;
}
