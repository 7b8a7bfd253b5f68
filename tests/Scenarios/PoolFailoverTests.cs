using AgentMesh.Journal;
using AgentMesh.Journal.Tests.Postgres;
using AgentMesh.Mesh.Contracts;
using AgentMesh.Node.Control;
using Npgsql;
using Scenarios.Harness;

namespace Scenarios;

/// <summary>
/// Trials 3 and 7 of docs/trials.md with members as processes on one PostgreSQL: the member that owns a running job is killed, or stopped past its lease, while
/// others submit at it. What the database holds afterwards is checked, event by event.
/// </summary>
public sealed class PoolFailoverTests
{
    private const int Running = 3;
    private const int InFlight = 4;

    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(2);

    [SkippableFact]
    public async Task The_owner_of_a_running_job_is_killed_then_another_one_stopped_past_its_lease_and_the_history_has_each_event_once()
    {
        Skip.If(PostgresServer.WhyNot is not null, PostgresServer.WhyNot);
        using var server = new PostgresServer();
        string database = server.NewDatabase();
        await using TestNode first = await PoolTests.StartMemberAsync("first", database);
        await using TestNode second = await PoolTests.StartMemberAsync("second", database);
        await using TestNode worker = await TestNode.StartAsync("worker");
        foreach (TestNode member in new[] { first, second })
        {
            await worker.PairWithAsync(member);
            (await worker.RunAsync("grant", member.Name, "run")).Done();
        }

        await PoolTests.MembersAsync(3, first, second, worker);
        TestNode[] members = [first, second];

        await TakenOverAsync(database, members, worker, "kill", victim => victim.KillHard(), victim => victim.UpAsync());
        await TakenOverAsync(
            database,
            members,
            worker,
            "stop",
            victim => victim.Signal("STOP"),
            victim =>
            {
                victim.Signal("CONT");
                return Task.CompletedTask;
            });
        await CheckHistoryAsync(database, 2 * (Running + InFlight));
    }

    private static async Task TakenOverAsync(string database, TestNode[] members, TestNode worker, string fault, Action<TestNode> strike, Func<TestNode, Task> bringBack)
    {
        string gate = Path.Combine(worker.Data, "gate-" + fault);
        var jobs = new List<JobView>();
        for (int i = 0; i < Running; i++)
        {
            string id = (await members[0].RunAsync("run", "--home", "lab", "--key", $"{fault}-{i}", "--detach", "@worker", "--", "sh", "-c", $"echo begun-{i}; until [ -e {gate} ]; do sleep 0.1; done; echo done-{i}")).Done().Trim();
            await Eventually.HoldsAsync(async () => (await members[0].JobAsync(id)).State == "running", $"{fault}: job {id} runs", Bound);
            jobs.Add(await members[0].JobAsync(id));
        }

        (string owner, long epoch) = (await OwnerAsync(database, jobs[0].Id))!.Value;
        TestNode victim = members.Single(member => member.Name == owner), other = members.Single(member => member.Name != owner);
        Task<Ran>[] inFlight = [.. Enumerable.Range(0, InFlight).Select(i => SubmitAsync(victim, fault, i))];
        await Task.Delay(200);
        strike(victim);

        // Nobody asks for the job: the other member finds that it waits.
        await Eventually.HoldsAsync(async () => await OwnerAsync(database, jobs[0].Id) is { } now && now.Name == other.Name && now.Epoch > epoch, $"{fault}: {other.Name} takes over from {victim.Name}", Bound);
        File.WriteAllText(gate, "");
        foreach ((int i, JobView job) in jobs.Index())
        {
            await Eventually.HoldsAsync(async () => (await PoolTests.TryJobAsync(other, job.Id))?.State == "completed", $"{fault}: job {job.Id} completes at {other.Name}", Bound);
            Assert.Equal(1, (await other.JobAsync(job.Id)).Attempt);
            Assert.Equal($"begun-{i}\ndone-{i}\n", (await other.RunAsync("job", "logs", job.Id)).Done());
        }

        // With their keys they are the same jobs, whether the one that was struck had accepted them or not.
        for (int i = 0; i < InFlight; i++)
        {
            await Eventually.HoldsAsync(async () => (await SubmitAsync(other, fault, i)).Out == $"{i + 1}\n", $"{fault}: {other.Name} takes what {victim.Name} may have accepted", Bound);
        }

        await bringBack(victim);
        foreach ((int i, Ran ran) in (await Task.WhenAll(inFlight)).Index())
        {
            Assert.True(ran.Code == 255 || ran.Out == $"{i + 1}\n", ran.ToString());
        }

        await Eventually.HoldsAsync(async () => (await victim.StatusAsync()).Pool is { Problem: null } pool && pool.Members.Count(member => member.LeaseLeftMs > 0) == 2, $"{fault}: {victim.Name} has a lease again", Bound);
        await PoolTests.MembersAsync(3, victim, other);
        for (int i = 0; i < InFlight; i++)
        {
            await Eventually.HoldsAsync(async () => (await SubmitAsync(victim, fault, i)).Out == $"{i + 1}\n", $"{fault}: {victim.Name} tells the same", Bound);
        }
    }

    private static Task<Ran> SubmitAsync(TestNode member, string fault, int i) => member.RunAsync("--home", "lab", "--key", $"{fault}-flight-{i}", "@worker", "calc", $"{i}+1");

    /// <summary>Each job was accepted once and has ended once, its events follow each other, and no earlier owner wrote after a later one.</summary>
    private static async Task CheckHistoryAsync(string database, int count)
    {
        var events = new List<(string Id, long Number, long Epoch, string Manifest)>();
        await using (NpgsqlConnection connection = new(database + ";Pooling=false"))
        {
            await connection.OpenAsync();
            await using NpgsqlCommand command = new(
                "SELECT n.persistence_id, e.sequence_nr, e.epoch, e.manifest FROM agentmesh.entities n JOIN agentmesh.events e USING (entity_key) WHERE n.category = 'job' ORDER BY 1, 2", connection);
            await using NpgsqlDataReader rows = await command.ExecuteReaderAsync();
            while (await rows.ReadAsync())
            {
                events.Add((rows.GetString(0), rows.GetInt64(1), rows.GetInt64(2), rows.GetString(3)));
            }
        }

        var jobs = events.GroupBy(each => each.Id).ToList();
        Assert.Equal(count, jobs.Count);
        foreach (var job in jobs)
        {
            Assert.Equal(Enumerable.Range(1, job.Count()).Select(number => (long)number), job.Select(each => each.Number));
            Assert.True(job.Zip(job.Skip(1)).All(pair => pair.First.Epoch <= pair.Second.Epoch), $"{job.Key} was written by an earlier owner");
            Assert.Equal(1, job.Count(each => each.Manifest == job.First().Manifest));
            Assert.Equal(1, job.Count(each => JobManifests.Over.Contains(each.Manifest)));
        }
    }

    /// <summary>Which member has a job, by the database.</summary>
    internal static async Task<(string Name, long Epoch)?> OwnerAsync(string database, string job)
    {
        var shard = LeaseKey.Of(job);
        await using NpgsqlConnection connection = new(database + ";Pooling=false");
        await connection.OpenAsync();
        await using NpgsqlCommand command = new("SELECT m.name, s.epoch FROM agentmesh.shards s JOIN agentmesh.members m ON m.member_id = s.member_id WHERE s.home = $1 AND s.shard = $2", connection)
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = shard.Home }, new NpgsqlParameter<string> { TypedValue = shard.Shard } },
        };
        await using NpgsqlDataReader row = await command.ExecuteReaderAsync();
        return await row.ReadAsync() ? (row.GetString(0), row.GetInt64(1)) : null;
    }
}
