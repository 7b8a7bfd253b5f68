using System.Text.Json;
using AgentMesh.Node.Control;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>What happened to a job, as a stream beside what it wrote.</summary>
public sealed class EventStreamTests
{
    [Fact]
    public async Task Events_and_output_are_followed_and_resumed_as_one_from_another_device()
    {
        await using TestNode home = await TestNode.StartAsync("home");
        await using TestNode other = await TestNode.StartAsync("other");
        await home.PairWithAsync(other);
        (await home.RunAsync("grant", "other", "logs")).Done();
        string gate = Path.Combine(home.Data, "gate");
        string job = (await home.RunAsync("run", "@home", "--detach", "--", "sh", "-c", $"echo one; echo '::progress 1/2 halfway'; while [ ! -e {gate} ]; do sleep 0.05; done; echo two; exit 3")).Done().Trim();
        string whole = (await home.JobAsync(job)).Id;
        await Eventually.HoldsAsync(async () => (await home.JobAsync(job)).Progress is not null, "it says how far it is");

        Task<Ran>[] readers = [.. ((TestNode[])[home, other]).Select(node => node.RunAsync("logs", "-f", "--stream", "out,events", "--names", whole))];
        await Task.Delay(1_500);
        File.WriteAllText(gate, "");
        foreach (Task<Ran> reader in readers)
        {
            string[] lines = (await reader).Done().Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.StartsWith("events: ", lines[0], StringComparison.Ordinal);
            Assert.Contains(" accepted attempt 1: from ", lines[0], StringComparison.Ordinal);
            Assert.Contains(lines, line => line.EndsWith("progress attempt 1: 50 % halfway", StringComparison.Ordinal));
            Assert.Equal(["stdout: one", "stdout: ::progress 1/2 halfway", "stdout: two"], lines.Where(line => line.StartsWith("stdout", StringComparison.Ordinal)));
            Assert.Contains(" failed attempt 1: ", lines[^1], StringComparison.Ordinal);
        }

        OutputView[] all = Pieces(await other.RunAsync("--json", "logs", "--stream", "events", whole));
        Assert.Equal(["accepted", "failed"], all.Select(each => each.Event!.What));
        Assert.Equal("failed", Assert.Single(Pieces(await other.RunAsync("--json", "logs", "--stream", "events", "--from", $"{all[0].Offset + 1}", whole))).Event!.What);
        Assert.Equal("failed", Assert.Single(Pieces(await home.RunAsync("--json", "logs", "--stream", "events", "--tail", "1", job))).Event!.What);
        (await home.RunAsync("logs", "--stream", "in", job)).Refused("AM0208");
    }

    private static OutputView[] Pieces(Ran ran) => [.. ran.Done().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize(line, ControlJson.Default.OutputView)!)];
}
