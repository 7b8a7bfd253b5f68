using System.Text.Json;
using AgentMesh.Node.Control;
using Scenarios.Harness;

namespace Scenarios;

public sealed class PingTests
{
    [Fact]
    public async Task A_connected_device_answers_and_a_stopped_one_is_offline()
    {
        await using TestNode here = await TestNode.StartAsync("here");
        await using TestNode there = await TestNode.StartAsync("there");
        await here.PairWithAsync(there);

        Ran ping = await here.RunAsync("ping", "@there", "-c", "3", "--interval", "10ms");

        Assert.True(ping.Code == 0, ping.ToString());
        string[] lines = ping.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(4, lines.Length);
        Assert.All(lines[..3], line => Assert.EndsWith($"127.0.0.1:{there.Port} direct", line, StringComparison.Ordinal));
        Assert.Contains("3 sent, 3 answered, min/avg/max", lines[3], StringComparison.Ordinal);

        Ran json = await here.RunAsync("--json", "ping", "there", "-c", "100", "--interval", "10ms");
        PingSummaryView summary = JsonSerializer.Deserialize(json.Out.Trim().Split('\n')[^1], ControlJson.Default.PingEvent)!.Summary!;
        Assert.Equal((100, 100), (summary.Sent, summary.Answered));
        Assert.True(summary.P99Ms >= summary.MinMs && Math.Abs(summary.ClockOffsetMs!.Value) < 1000, json.Out);

        Ran self = await here.RunAsync("ping", "here");
        Assert.True(self.Code == 255 && self.Error.Contains("AM0208", StringComparison.Ordinal), self.ToString());
        Ran endless = await here.RunAsync("ping", "there", "--interval", "1ms");
        Assert.True(endless.Code == 255 && endless.Error.Contains("AM0208", StringComparison.Ordinal), endless.ToString());

        Assert.Equal(0, (await there.RunAsync("down")).Code);
        await Eventually.HoldsAsync(async () => (await here.StatusAsync()).PeersConnected == 0, "the link is seen to be gone");
        Ran offline = await here.RunAsync("ping", "@there");
        Assert.True(offline.Code == 255 && offline.Error.Contains("AM0304", StringComparison.Ordinal) && offline.Error.Contains("last seen", StringComparison.Ordinal), offline.ToString());
    }
}
