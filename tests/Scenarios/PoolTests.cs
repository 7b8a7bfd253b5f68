using AgentMesh.Journal.Tests.Postgres;
using AgentMesh.Node.Control;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>Two devices that share a database as the home of jobs, and a third one that runs them.</summary>
public sealed class PoolTests
{
    [SkippableFact]
    public async Task A_job_of_a_pool_is_seen_by_both_members_and_goes_on_when_the_one_that_has_it_is_killed()
    {
        Skip.If(PostgresServer.WhyNot is not null, PostgresServer.WhyNot);
        using var server = new PostgresServer();
        string database = server.NewDatabase();
        await using TestNode first = await StartMemberAsync("first", database);
        await using TestNode second = await StartWithProfileAsync("second", database);
        await using TestNode worker = await TestNode.StartAsync("worker");
        foreach (TestNode member in new[] { first, second })
        {
            await worker.PairWithAsync(member);
            (await worker.RunAsync("grant", member.Name, "run")).Done();
        }

        await MembersAsync(3, first, second, worker);

        Assert.Equal("3\n", (await first.RunAsync("--home", "lab", "@worker", "calc", "1+2")).Done());
        Assert.Contains("calc 1+2", (await second.RunAsync("job", "list")).Done(), StringComparison.Ordinal);
        Assert.DoesNotContain("calc 1+2", (await second.RunAsync("job", "list", "--home", "device")).Done(), StringComparison.Ordinal);
        Assert.DoesNotContain("calc 1+2", (await first.RunAsync("job", "list")).Done(), StringComparison.Ordinal);

        PoolView pool = (await second.StatusAsync()).Pool!;
        Assert.Equal(("lab", 2), (pool.Name, pool.Members.Count(member => member.LeaseLeftMs > 0)));
        string config = (await first.RunAsync("config")).Done();
        Assert.Contains("pool-connection", config, StringComparison.Ordinal);
        Assert.DoesNotContain("Username=mesh", config, StringComparison.Ordinal);

        Ran swept = await first.RunAsync("run", "--home", "lab", "--array", "1-3", "@worker", "--", "echo", "element-{}");
        Assert.True(swept.Code == 0, swept.ToString());
        Assert.Contains("3/3", (await second.RunAsync("job", "list")).Done(), StringComparison.Ordinal);

        (await second.RunAsync("cron", "add", "lab/nightly", "0 3 * * *", "--on", "@worker", "--", "echo", "night")).Done();
        Assert.Contains("lab/nightly", (await first.RunAsync("cron", "list")).Done(), StringComparison.Ordinal);
        string night = (await first.RunAsync("cron", "run", "lab/nightly")).Done().Trim();
        await Eventually.HoldsAsync(async () => (await second.JobAsync(night)).State == "completed", "a run of the schedule of the pool completes");

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

        // Enough workflows too. Each waits in its first step.
        string file = Path.Combine(first.Data, "flow.yaml");
        File.WriteAllText(file, $"name: flow\nsteps:\n  - name: one\n    on: \"@worker\"\n    run: until [ -e {gate} ]; do sleep 0.1; done; echo of-one\n  - name: two\n    on: \"@worker\"\n    needs: [one]\n    run: echo after {{{{steps.one.result}}}}\n");
        for (int i = 0; i < 3; i++)
        {
            Ran begun = await first.RunAsync("workflow", "run", file, "--home", "lab", "--detach");
            Assert.True(begun.Code == 0, begun.ToString());
        }

        await Eventually.HoldsAsync(async () => (await WorkflowsAsync(second)) is { Count: 3 } flows && flows.All(flow => flow.Steps[0].State == "running"), "the other member lists the workflows of the pool, which run");

        first.KillHard();
        await Eventually.HoldsAsync(async () => (await second.StatusAsync()).Pool!.Members.Count(member => member.LeaseLeftMs > 0) == 1, "the lease of the killed member runs out");
        File.WriteAllText(gate, "");
        foreach ((int i, string id) in ids.Index())
        {
            await Eventually.HoldsAsync(async () => (await TryJobAsync(second, id))?.State == "completed", $"job {id} completes at the other member", TimeSpan.FromMinutes(2));
            Assert.Equal(1, (await second.JobAsync(id)).Attempt);
            Assert.Equal($"begun-{i}\ndone-{i}\n", (await second.RunAsync("job", "logs", id)).Done());
        }

        await Eventually.HoldsAsync(
            async () => (await WorkflowsAsync(second)) is { Count: 3 } flows && flows.All(flow => flow is { State: "completed" } && flow.Steps.All(step => step.State == "completed")), "the workflows complete at the other member", TimeSpan.FromMinutes(2));

        // What is submitted while a member is gone goes to the other one, and the one that is back sees it.
        Assert.Equal("7\n", (await second.RunAsync("--home", "lab", "@worker", "calc", "3+4")).Done());
        await first.UpAsync();
        await Eventually.HoldsAsync(async () => (await first.RunAsync("job", "list", "--home", "lab")).Out.Contains("calc 3+4", StringComparison.Ordinal), "the member that is back lists the jobs of the pool");
    }

    [SkippableFact]
    public async Task A_member_that_is_stopped_past_its_lease_comes_back_and_without_the_database_only_the_pool_refuses()
    {
        Skip.If(PostgresServer.WhyNot is not null, PostgresServer.WhyNot);
        using var server = new PostgresServer();
        string database = server.NewDatabase();
        await using TestNode first = await StartMemberAsync("first", database);
        await using TestNode second = await StartWithProfileAsync("second", database);
        await first.PairWithAsync(second);
        await MembersAsync(2, first, second);
        string[] keyed = ["run", "--home", "lab", "--key", "k1", "@second", "--", "echo", "once"];
        (await second.RunAsync("grant", "first", "run")).Done();
        Assert.Equal("once\n", (await first.RunAsync(keyed)).Done());

        first.Signal("STOP");
        try
        {
            await Eventually.HoldsAsync(async () => (await second.StatusAsync()).Pool!.Members.Count(member => member.LeaseLeftMs > 0) == 1, "the lease of the stopped member runs out", TimeSpan.FromMinutes(1));

            // The same key reaches the job that the other member had accepted.
            Assert.Equal("once\n", (await second.RunAsync(keyed)).Done());
            for (int i = 0; i < 4; i++)
            {
                Assert.Equal($"{i + 1}\n", (await second.RunAsync("--home", "lab", "@second", "calc", $"{i}+1")).Done());
            }
        }
        finally
        {
            first.Signal("CONT");
        }

        await MembersAsync(2, first, second);
        await Eventually.HoldsAsync(async () => (await first.StatusAsync()).Pool is { Problem: null } pool && pool.Members.Count(member => member.LeaseLeftMs > 0) == 2, "the resumed member has a lease again");
        Assert.Equal("18\n", (await first.RunAsync("--home", "lab", "@second", "calc", "9+9")).Done());
        IReadOnlyList<JobView> jobs = await JobsAsync(first);
        Assert.Equal((6, 6), (jobs.Count, jobs.Count(job => job is { State: "completed", Attempt: 1 })));

        // Without the database the pool refuses and says why; what is at home on a device goes on.
        server.Crash();
        Assert.Equal("5\n", (await second.RunAsync("--home", "device", "@second", "calc", "2+3")).Done());
        await Eventually.HoldsAsync(async () => (await second.RunAsync("--home", "lab", "@second", "calc", "1+1")) is { Code: 255 } refused && refused.Error.Contains("AM04", StringComparison.Ordinal), "the pool refuses with its reason");
        Ran doctor = await second.RunAsync("doctor");
        Assert.Contains("AM045", doctor.Out + doctor.Error, StringComparison.Ordinal);
        server.Start();
        await Eventually.HoldsAsync(async () => (await second.RunAsync("--home", "lab", "@second", "calc", "40+2")).Out == "42\n", "the pool accepts jobs again", TimeSpan.FromMinutes(1));

        // An orderly end hands over at once.
        (await first.RunAsync("down")).Done();
        Assert.Equal("77\n", (await second.RunAsync("--home", "lab", "@second", "calc", "70+7")).Done());
    }

    [SkippableFact]
    public async Task Files_of_jobs_of_a_pool_are_served_by_the_other_member_when_the_one_that_took_them_is_killed()
    {
        Skip.If(PostgresServer.WhyNot is not null, PostgresServer.WhyNot);
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

        await MembersAsync(3, first, second, worker);

        Ran made = await first.RunAsync("run", "--home", "lab", "--artifact", "data=outputs/data", "@worker", "--", "sh", "-c", "head -c 3000000 /dev/urandom > outputs/data; sha256sum < outputs/data | cut -c1-64");
        string hash = "sha256:" + made.Done().Trim();
        ArtifactView data = Assert.Single(await ArtifactsAsync(second, "--home", "lab"));
        Assert.Equal(("data", hash, 3_000_000L), (data.Name, data.Hash, data.Size));
        Assert.Empty(await ArtifactsAsync(second));

        // A workflow whose first step is running, and has its file still to deliver, when the member that began it is killed.
        string gate = Path.Combine(worker.Data, "gate"), file = Path.Combine(first.Data, "flow.yaml");
        File.WriteAllText(file, $$$"""
            steps:
              - name: make
                on: "@worker"
                run: until [ -e {{{gate}}} ]; do sleep 0.1; done; cat inputs/old > outputs/copy
                inputs: { old: "{{{hash}}}" }
                artifacts: { copy: outputs/copy }
              - name: use
                on: "@worker"
                needs: [make]
                run: sha256sum < inputs/in | cut -c1-64
                inputs: { in: make/copy }
            """);
        string flow = (await first.RunAsync("workflow", "run", file, "--home", "lab", "--detach")).Done().Trim();
        await Eventually.HoldsAsync(async () => (await WorkflowsAsync(second)) is [{ } each] && each.Steps[0].State == "running", "the first step runs");
        first.KillHard();
        File.WriteAllText(gate, "");
        await Eventually.HoldsAsync(async () => (await WorkflowsAsync(second)) is [{ State: "completed" }], "the workflow completes at the other member", TimeSpan.FromMinutes(2));
        WorkflowView done = (await WorkflowsAsync(second))[0];
        Assert.Equal((flow, hash[7..]), (done.ShortId, done.Steps[1].Jobs[0].Result));
        Assert.Equal(hash, Assert.Single(done.Steps[0].Jobs[0].Artifacts).Hash);

        string got = Path.Combine(second.Data, "got");
        (await second.RunAsync("artifact", "get", $"{data.ShortJob}/data", "-o", got)).Done();
        Assert.Equal(hash, "sha256:" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(got))));

        // What is only on the device is copied to the pool for the job that takes it, and the other way round.
        (await second.RunWithInputAsync("words\n", "artifact", "put", "-", "--name", "words")).Done();
        Assert.Equal("words\n", (await second.RunAsync("run", "--home", "lab", "--input", "in=words", "@worker", "--", "cat", "inputs/in")).Done());
        Assert.Contains(await ArtifactsAsync(second, "--home", "lab"), artifact => artifact is { Name: "words", Job: null });
        Assert.Equal("3000000\n", (await second.RunAsync("run", "--input", $"in={data.ShortJob}/data", "--", "sh", "-c", "wc -c < inputs/in")).Done());
        (await second.RunAsync("artifact", "rm", "words", "--home", "lab")).Done();
        Assert.DoesNotContain(await ArtifactsAsync(second, "--home", "lab"), artifact => artifact.Name == "words");

        // The member that is back serves them too.
        await first.UpAsync();
        await Eventually.HoldsAsync(async () => (await first.RunAsync("artifact", "get", hash, "-o", got, "--home", "lab")).Code == 0, "the member that is back serves the file");
    }

    [SkippableFact]
    public async Task Two_members_that_remove_at_once_remove_each_job_once_and_no_output_of_what_the_other_one_keeps()
    {
        Skip.If(PostgresServer.WhyNot is not null, PostgresServer.WhyNot);
        using var server = new PostgresServer();
        string database = server.NewDatabase();
        await using TestNode first = await StartMemberAsync("first", database);
        await using TestNode second = await StartMemberAsync("second", database);
        await first.PairWithAsync(second);
        await MembersAsync(2, first, second);
        (await first.RunAsync("grant", "second", "run")).Done();
        const int Count = 12;
        foreach (Ran begun in await Task.WhenAll(Enumerable.Range(0, Count).Select(i => first.RunAsync("run", "--home", "lab", "--detach", "@first", "--", "echo", $"job-{i}"))))
        {
            begun.Done();
        }

        IReadOnlyList<JobView> jobs = [];
        await Eventually.HoldsAsync(async () => (jobs = await JobsAsync(first)).Count(job => job.State == "completed") == Count, "all jobs complete", TimeSpan.FromMinutes(1));
        await Eventually.HoldsAsync(async () => (await second.StatusAsync()).Pool is { ShardsHeld: > 0 } && (await first.StatusAsync()).Pool is { ShardsHeld: > 0 }, "both members hold shards");

        // One alone: what it does not hold stays, with its output.
        PrunedView alone = default!;
        await Eventually.HoldsAsync(async () => (alone = await PruneAsync(first)) is { Jobs: > 0 } or { Elsewhere: > 0 }, "what has ended 10 s ago is found", TimeSpan.FromMinutes(1));
        int removed = alone.Jobs;
        foreach (JobView left in await JobsAsync(second))
        {
            Assert.StartsWith("job-", (await second.RunAsync("job", "logs", left.Id)).Done(), StringComparison.Ordinal);
        }

        await Eventually.HoldsAsync(
            async () =>
            {
                foreach (PrunedView pruned in await Task.WhenAll(PruneAsync(first), PruneAsync(second)))
                {
                    removed += pruned.Jobs;
                }

                return (await JobsAsync(second)).Count == 0;
            },
            "all of it is removed",
            TimeSpan.FromMinutes(2));
        Assert.Equal(Count, removed);
        Assert.True((await first.RunAsync("job", "show", jobs[0].Id)) is { Code: not 0 } gone && gone.Error.Contains("AM0457", StringComparison.Ordinal));
        Assert.Equal("5\n", (await second.RunAsync("--home", "lab", "@second", "calc", "2+3")).Done());

        static async Task<PrunedView> PruneAsync(TestNode node) =>
            System.Text.Json.JsonSerializer.Deserialize((await node.RunAsync("--json", "job", "prune", "--home", "lab", "--before", "10s")).Done(), ControlJson.Default.PrunedView)!;
    }

    private static async Task<IReadOnlyList<ArtifactView>> ArtifactsAsync(TestNode node, params string[] options) =>
        System.Text.Json.JsonSerializer.Deserialize((await node.RunAsync(["--json", "artifact", "list", .. options])).Done(), ControlJson.Default.IReadOnlyListArtifactView)!;

    internal static async Task MembersAsync(int count, params TestNode[] nodes)
    {
        foreach (TestNode node in nodes)
        {
            await Eventually.HoldsAsync(async () => (await node.StatusAsync()).Members.Count(member => member is { Status: "up", Reachable: true }) == count, $"{node.Name} sees {count} members", TimeSpan.FromMinutes(1));
        }
    }

    private static async Task<IReadOnlyList<WorkflowView>> WorkflowsAsync(TestNode node) =>
        await node.RunAsync("--json", "workflow", "list", "--home", "lab") is { Code: 0 } ran
            ? System.Text.Json.JsonSerializer.Deserialize(ran.Out, ControlJson.Default.IReadOnlyListWorkflowView)!
            : [];

    private static async Task<IReadOnlyList<JobView>> JobsAsync(TestNode node) =>
        System.Text.Json.JsonSerializer.Deserialize((await node.RunAsync("--json", "job", "list", "--home", "lab")).Done(), ControlJson.Default.JobPage)!.Jobs;

    internal static async Task<TestNode> StartMemberAsync(string name, string database)
    {
        var node = new TestNode(name);
        string secret = Path.Combine(node.Data, "pool-connection");
        File.WriteAllText(secret, database);
        File.WriteAllText(Path.Combine(node.Data, "agentmesh.conf"), $"agentmesh.pool {{ name = lab, connection-file = \"{secret}\", lease = 4s }}");
        await node.UpAsync();
        return node;
    }

    /// <summary>With the profile of the repository and the connection in the environment.</summary>
    private static async Task<TestNode> StartWithProfileAsync(string name, string database)
    {
        var node = new TestNode(name) { Environment = { ["AGENTMESH_POOL_CONNECTION"] = database } };
        string? root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root!, "AgentMesh.sln")))
        {
            root = Path.GetDirectoryName(root);
        }

        File.WriteAllText(Path.Combine(node.Data, "agentmesh.conf"), File.ReadAllText(Path.Combine(root!, "hocon", "postgres.conf")) + "\nagentmesh.pool.lease = 4s\n");
        await node.UpAsync();
        return node;
    }

    internal static async Task<JobView?> TryJobAsync(TestNode node, string id)
    {
        Ran shown = await node.RunAsync("--json", "job", "show", id);
        return shown.Code == 0 ? System.Text.Json.JsonSerializer.Deserialize(shown.Out, ControlJson.Default.JobView) : null;
    }
}
