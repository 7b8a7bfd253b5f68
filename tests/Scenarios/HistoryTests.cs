using System.Text.Json;
using AgentMesh.Node.Control;
using Scenarios.Harness;

namespace Scenarios;

public sealed class HistoryTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Connections_are_remembered_with_their_end_over_restarts_and_without_one_when_the_node_was_killed()
    {
        await using TestNode here = await TestNode.StartAsync("here");
        await using TestNode there = await TestNode.StartAsync("there");
        await here.PairWithAsync(there);
        await Eventually.HoldsAsync(async () => (await here.RunAsync("@there", "calc", "1")).Out == "1\n", "they are linked", Minute);
        Assert.Contains(await HistoryAsync(here, "there"), each => each is { Name: "there", State: "open", Paths: ["direct", ..], Seconds: >= 0 });

        (await there.RunAsync("down")).Done();
        await Eventually.HoldsAsync(async () => (await HistoryAsync(here, "there")).All(each => each.State == "ended"), "all of them have ended", Minute);
        int before = (await HistoryAsync(here, "there")).Count;
        Assert.Contains(await HistoryAsync(here, "there"), each => each is { Why: { } why, ClosedAt: not null } && why.StartsWith("the other device: ", StringComparison.Ordinal));

        await there.UpAsync();
        await Eventually.HoldsAsync(async () => (await HistoryAsync(here, "there")).Any(each => each.State == "open"), "it is open again", Minute);
        here.KillHard();
        await here.UpAsync();
        Assert.Contains(await HistoryAsync(here, "there"), each => each is { State: "ended", ClosedAt: null, Why: null, Seconds: null });
        Assert.True((await HistoryAsync(here, null)).Count > before);
        (await here.RunAsync("devices", "history", "nobody")).Refused("AM0302");
        Assert.Contains("the node of this device ended", (await here.RunAsync("devices", "history")).Done(), StringComparison.Ordinal);
    }

    private static async Task<IReadOnlyList<ConnectionView>> HistoryAsync(TestNode on, string? peer) =>
        JsonSerializer.Deserialize((await on.RunAsync(["--json", "devices", "history", .. peer is null ? [] : new[] { peer }])).Done(), ControlJson.Default.IReadOnlyListConnectionView)!;
}
