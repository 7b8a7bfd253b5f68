using AgentMesh.Node.Control;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>A program that writes more than its home keeps.</summary>
[Collection(Alone.Name)]
public sealed class LargeOutputTests
{
    private const int Kept = 1 << 20;

    [Fact]
    public async Task Output_beyond_the_limit_is_dropped_and_neither_the_program_nor_its_spool_stays()
    {
        await using var home = new TestNode("home");
        await using var worker = new TestNode("worker");
        foreach (TestNode node in (TestNode[])[home, worker])
        {
            File.WriteAllText(Path.Combine(node.Data, "agentmesh.conf"), $"agentmesh.output {{ job-max = {Kept}b, spool-max = 2MiB }}\n");
            await node.UpAsync();
        }

        await home.PairWithAsync(worker);
        (await worker.RunAsync("grant", "home", "run")).Done();
        foreach (TestNode where in (TestNode[])[worker, home])
        {
            string job = (await home.RunAsync("run", $"@{where.Name}", "--detach", "--", "head", "-c", "20000000", "/dev/zero")).Done().Trim();
            await Eventually.HoldsAsync(async () => (await home.JobAsync(job)).State == "completed", $"the program on {where.Name} comes to its end");
            await Eventually.HoldsAsync(() => Task.FromResult(Directory.GetDirectories(Path.Combine(where.Data, "spool")).Length == 0), "its spool goes");
            Assert.InRange((await home.RunAsync("job", "logs", job)).Done().Length, Kept / 2, Kept);
        }
    }
}
