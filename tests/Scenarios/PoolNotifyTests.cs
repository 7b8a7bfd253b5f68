using System.Runtime.Versioning;
using System.Text.Json;
using AgentMesh.Journal;
using AgentMesh.Journal.Tests.Postgres;
using AgentMesh.Node.Control;
using Npgsql;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>Results of a pool that are told to a URL, while the members that tell them are killed.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class PoolNotifyTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(2);

    [SkippableFact]
    public async Task A_run_of_a_schedule_is_told_by_another_member_when_the_one_that_has_it_is_killed_under_the_same_id()
    {
        Skip.If(PostgresServer.WhyNot is not null, PostgresServer.WhyNot);
        using var server = new PostgresServer();
        string database = server.NewDatabase();
        await using var receiver = new HookReceiver();
        await using Lab lab = await Lab.StartAsync(database, receiver);
        (TestNode first, TestNode second, TestNode worker) = (lab.First, lab.Second, lab.Worker);
        TestNode[] members = [first, second];
        (await first.RunAsync("cron", "add", "lab/backup", "@yearly", "--on", "@worker", "--notify", receiver.Url, "--attempts", "1", "--", "sh", "-c", "echo half of it; exit 3")).Done();

        // Killed with its message on the way: nobody knows whether it arrived.
        (await first.RunAsync("cron", "run", "lab/backup")).Done();
        Hook unanswered = await receiver.NextAsync();
        (TestNode victim, TestNode other) = await OwnerAsync(database, "cron", members);
        victim.KillHard();
        Hook again = await receiver.NextAsync();
        Assert.Equal((unanswered.Id, unanswered.Body), (again.Id, again.Body));
        again.Answer(204);
        await Eventually.HoldsAsync(async () => (await CronAsync(other))?.LastDelivery is { State: "delivered", Status: 204, Attempts: 1 }, $"{other.Name} knows that it was taken", Bound);
        Assert.Equal("half of it\n", JsonDocument.Parse(again.Body).RootElement.GetProperty("data").GetProperty("stdout").GetString());

        // Killed between two attempts: the receiver was away, and the wait for the second one goes on elsewhere.
        await victim.UpAsync();
        await PoolTests.MembersAsync(3, first, second, worker);
        (await other.RunAsync("cron", "run", "lab/backup")).Done();
        Hook away = await receiver.NextAsync();
        Assert.NotEqual(again.Id, away.Id);
        away.Answer(503);
        (victim, other) = await OwnerAsync(database, "cron", members);
        await Eventually.HoldsAsync(async () => (await CronAsync(victim))?.LastDelivery is { State: "due", Status: 503, Attempts: 1 }, "the refusal is in the journal", Bound);
        victim.KillHard();
        Hook back = await receiver.NextAsync();
        Assert.Equal((away.Id, away.Body), (back.Id, back.Body));
        back.Answer(200);
        await Eventually.HoldsAsync(async () => (await CronAsync(other))?.LastDelivery is { State: "delivered", Status: 200, Attempts: 2 } last && last.Id == away.Id, $"{other.Name} has told it in the second attempt", Bound);

        // What was taken is not told again by the one that comes back.
        await victim.UpAsync();
        await PoolTests.MembersAsync(3, first, second, worker);
        (await victim.RunAsync("cron", "run", "lab/backup")).Done();
        Hook next = await receiver.NextAsync();
        Assert.DoesNotContain(next.Id, new[] { again.Id, back.Id });
        next.Answer(200);
    }

    [SkippableFact]
    public async Task The_end_of_a_job_is_told_by_another_member_when_the_one_that_has_it_is_killed_under_the_same_id()
    {
        Skip.If(PostgresServer.WhyNot is not null, PostgresServer.WhyNot);
        using var server = new PostgresServer();
        string database = server.NewDatabase();
        await using var receiver = new HookReceiver();
        await using Lab lab = await Lab.StartAsync(database, receiver);
        TestNode first = lab.First;
        TestNode[] members = [first, lab.Second];
        string id = (await first.RunAsync("run", "--home", "lab", "--detach", "--attempts", "1", "--notify", receiver.Url, "@worker", "--", "sh", "-c", "echo half of it; exit 3")).Done().Trim();

        // Killed with its message on the way, and again between two attempts.
        Hook unanswered = await receiver.NextAsync();
        (TestNode victim, TestNode other) = await OwnerAsync(database, "job", members);
        victim.KillHard();
        Hook again = await receiver.NextAsync();
        Assert.Equal((unanswered.Id, unanswered.Body), (again.Id, again.Body));
        again.Answer(503);
        await Eventually.HoldsAsync(async () => (await PoolTests.TryJobAsync(other, id))?.Delivery is { State: "due", Status: 503, Attempts: 1 }, "the refusal is in the journal", Bound);
        await victim.UpAsync();
        await Eventually.HoldsAsync(async () => (await PoolTests.TryJobAsync(victim, id))?.Delivery is not null, $"{victim.Name} is back", Bound);
        other.KillHard();
        Hook back = await receiver.NextAsync();
        Assert.Equal((unanswered.Id, unanswered.Body), (back.Id, back.Body));
        back.Answer(200);
        await Eventually.HoldsAsync(async () => (await PoolTests.TryJobAsync(victim, id))?.Delivery is { State: "delivered", Status: 200, Attempts: 2 }, $"{victim.Name} has told it in the second attempt", Bound);
        JsonElement root = JsonDocument.Parse(back.Body).RootElement;
        Assert.Equal(("job.failed", "half of it\n"), (root.GetProperty("type").GetString(), root.GetProperty("data").GetProperty("stdout").GetString()));
    }

    [SkippableFact]
    public async Task That_a_workflow_stopped_is_told_by_another_member_when_the_one_that_has_it_is_killed_under_the_same_id()
    {
        Skip.If(PostgresServer.WhyNot is not null, PostgresServer.WhyNot);
        using var server = new PostgresServer();
        string database = server.NewDatabase();
        await using var receiver = new HookReceiver();
        await using Lab lab = await Lab.StartAsync(database, receiver);
        TestNode first = lab.First;
        string file = Path.Combine(first.Data, "nightly.yaml");
        await File.WriteAllTextAsync(file, "steps: [{ name: train, on: '@worker', run: 'exit 3', attempts: 1 }]\n");
        string id = (await first.RunAsync("workflow", "run", "--home", "lab", "--detach", "--notify", receiver.Url, "--notify-on", "failure", file)).Done().Trim();

        Hook unanswered = await receiver.NextAsync();
        (TestNode victim, TestNode other) = await OwnerAsync(database, "workflow", [first, lab.Second]);
        victim.KillHard();
        Hook again = await receiver.NextAsync();
        Assert.Equal((unanswered.Id, unanswered.Body), (again.Id, again.Body));
        again.Answer(204);
        await Eventually.HoldsAsync(async () => (await WorkflowAsync(other, id))?.Delivery is { State: "delivered", Status: 204, Attempts: 1 } told && told.Id == again.Id, $"{other.Name} knows that it was taken", Bound);
        JsonElement root = JsonDocument.Parse(again.Body).RootElement, step = root.GetProperty("data").GetProperty("failedSteps").EnumerateArray().Single();
        Assert.Equal(("workflow.paused", "train", "worker", 3), (root.GetProperty("type").GetString(), step.GetProperty("name").GetString(), step.GetProperty("deviceName").GetString(), step.GetProperty("exitCode").GetInt32()));
    }

    private static async Task<WorkflowView?> WorkflowAsync(TestNode node, string id) =>
        await node.RunAsync("--json", "workflow", "show", id) is { Code: 0 } ran ? JsonSerializer.Deserialize(ran.Out, ControlJson.Default.WorkflowView) : null;

    private static async Task<CronView?> CronAsync(TestNode node) =>
        await node.RunAsync("--json", "cron", "show", "lab/backup") is { Code: 0 } ran ? JsonSerializer.Deserialize(ran.Out, ControlJson.Default.CronView) : null;

    /// <summary>Which of two members has the only schedule or job, by the database.</summary>
    private static async Task<(TestNode Owner, TestNode Other)> OwnerAsync(string database, string kind, TestNode[] members)
    {
        await using NpgsqlConnection connection = new(database + ";Pooling=false");
        await connection.OpenAsync();
        await using NpgsqlCommand find = new("SELECT persistence_id FROM agentmesh.entities WHERE category = $1", connection) { Parameters = { new NpgsqlParameter<string> { TypedValue = kind } } };
        var shard = LeaseKey.Of((string)(await find.ExecuteScalarAsync())!);
        await using NpgsqlCommand owner = new("SELECT m.name FROM agentmesh.shards s JOIN agentmesh.members m ON m.member_id = s.member_id WHERE s.home = $1 AND s.shard = $2", connection)
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = shard.Home }, new NpgsqlParameter<string> { TypedValue = shard.Shard } },
        };
        string name = (string)(await owner.ExecuteScalarAsync())!;
        return (members.Single(member => member.Name == name), members.Single(member => member.Name != name));
    }

    /// <summary>Two members of a pool, and a device that runs what they ask for.</summary>
    private sealed record Lab(TestNode First, TestNode Second, TestNode Worker) : IAsyncDisposable
    {
        public static async Task<Lab> StartAsync(string database, HookReceiver receiver)
        {
            var lab = new Lab(await StartMemberAsync("first", database, receiver), await StartMemberAsync("second", database, receiver), await TestNode.StartAsync("worker"));
            foreach (TestNode member in new[] { lab.First, lab.Second })
            {
                await lab.Worker.PairWithAsync(member);
                (await lab.Worker.RunAsync("grant", member.Name, "run")).Done();
            }

            await PoolTests.MembersAsync(3, lab.First, lab.Second, lab.Worker);
            return lab;
        }

        public async ValueTask DisposeAsync()
        {
            await Worker.DisposeAsync();
            await Second.DisposeAsync();
            await First.DisposeAsync();
        }

        private static async Task<TestNode> StartMemberAsync(string name, string database, HookReceiver receiver)
        {
            var node = new TestNode(name);
            string secret = Path.Combine(node.Data, "pool-connection");
            File.WriteAllText(secret, database);
            File.WriteAllText(
                Path.Combine(node.Data, "agentmesh.conf"),
                $"agentmesh.pool {{ name = lab, connection-file = \"{secret}\", lease = 4s }}\nagentmesh.cron.notify.allow = [\"127.0.0.1:{receiver.Port}\"]\n");
            await node.UpAsync();
            return node;
        }
    }
}
