using AgentMesh.Journal.Tests.Postgres;
using AgentMesh.Node.Control;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>Two devices that share a database as the home of jobs, and a third one that runs them.</summary>
[Collection("processes")]
public sealed class PoolTests
{
    [SkippableFact]
    public async Task A_job_of_a_pool_is_seen_by_both_members_and_goes_on_when_the_one_that_has_it_is_killed()
    {
        using var server = new PostgresServer();
        string database = server.NewDatabase();
        await using TestNode first = await StartMemberAsync("first", database);
        await using TestNode second = await StartMemberAsync("second", database);
        await using TestNode worker = await TestNode.StartAsync("worker");
        foreach (TestNode member in new[] { first, second })
        {
            await worker.PairWithAsync(member);
            (await worker.RunAsync("grant", member.Name, "run")).Done();
        }

        foreach (TestNode node in new[] { first, second, worker })
        {
            await Eventually.HoldsAsync(async () => (await node.StatusAsync()).Members.Count(member => member is { Status: "up", Reachable: true }) == 3, $"{node.Name} sees three members");
        }

        Assert.Equal("3\n", (await first.RunAsync("--home", "lab", "@worker", "calc", "1+2")).Done());
        Assert.Contains("calc 1+2", (await second.RunAsync("job", "list", "--home", "lab")).Done(), StringComparison.Ordinal);
        Assert.DoesNotContain("calc 1+2", (await first.RunAsync("job", "list")).Done(), StringComparison.Ordinal);

        PoolView pool = (await second.StatusAsync()).Pool!;
        Assert.Equal(("lab", 2), (pool.Name, pool.Members.Count(member => member.LeaseLeftMs > 0)));
        string config = (await first.RunAsync("config")).Done();
        Assert.Contains("pool-connection", config, StringComparison.Ordinal);
        Assert.DoesNotContain("Username=mesh", config, StringComparison.Ordinal);

        // Enough of them for both members to own some.
        var ids = new List<string>();
        string gate = Path.Combine(worker.Data, "gate");
        for (int i = 0; i < 6; i++)
        {
            ids.Add((await first.RunAsync("run", "--home", "lab", "--detach", "@worker", "--", "sh", "-c", $"echo begun-{i}; until [ -e {gate} ]; do sleep 0.1; done; echo done-{i}")).Done().Trim());
        }

        foreach (string id in ids)
        {
            await Eventually.HoldsAsync(async () => (await second.JobAsync(id)).State is "running", $"job {id} runs");
        }

        first.KillHard();
        await Eventually.HoldsAsync(async () => (await second.StatusAsync()).Pool!.Members.Count(member => member.LeaseLeftMs > 0) == 1, "the lease of the killed member runs out");
        File.WriteAllText(gate, "");
        foreach ((int i, string id) in ids.Index())
        {
            await Eventually.HoldsAsync(async () => (await TryJobAsync(second, id))?.State == "completed", $"job {id} completes at the other member", TimeSpan.FromMinutes(2));
            Assert.Equal(1, (await second.JobAsync(id)).Attempt);
            Assert.Equal($"begun-{i}\ndone-{i}\n", (await second.RunAsync("job", "logs", id)).Done());
        }

        // What is submitted while a member is gone goes to the other one, and the one that is back sees it.
        Assert.Equal("7\n", (await second.RunAsync("--home", "lab", "@worker", "calc", "3+4")).Done());
        await first.UpAsync();
        await Eventually.HoldsAsync(async () => (await first.RunAsync("job", "list", "--home", "lab")).Out.Contains("calc 3+4", StringComparison.Ordinal), "the member that is back lists the jobs of the pool");
    }

    private static async Task<TestNode> StartMemberAsync(string name, string database)
    {
        var node = new TestNode(name);
        string secret = Path.Combine(node.Data, "pool-connection");
        File.WriteAllText(secret, database);
        File.WriteAllText(Path.Combine(node.Data, "agentmesh.conf"), $"agentmesh.pool {{ name = lab, connection-file = \"{secret}\", lease = 3s }}");
        await node.UpAsync();
        return node;
    }

    private static async Task<JobView?> TryJobAsync(TestNode node, string id)
    {
        Ran shown = await node.RunAsync("--json", "job", "show", id);
        return shown.Code == 0 ? System.Text.Json.JsonSerializer.Deserialize(shown.Out, ControlJson.Default.JobView) : null;
    }
}
