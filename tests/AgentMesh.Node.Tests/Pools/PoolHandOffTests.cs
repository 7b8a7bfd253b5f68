using System.Text;
using AgentMesh.Journal.Tests.Postgres;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Protocol.Identity;
using Akka.Actor;
using Npgsql;

namespace AgentMesh.Node.Tests.Pools;

/// <summary>
/// Trial 7 of docs/trials.md on PostgreSQL: a member leaves, and whoever is about to take a step of the hand-off of its shards is killed at that step. What was
/// accepted is there, and what is submitted meanwhile is accepted once, within a bound.
/// </summary>
public sealed class PoolHandOffTests
{
    private const int Jobs = 12;

    /// <summary>So many meshes at a time: each waits most of its time, for leases and for silence.</summary>
    private const int AtOnce = 3;

    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(2);

    [SkippableFact]
    public async Task A_hand_off_that_is_broken_at_any_of_its_steps_leaves_every_job_available()
    {
        Skip.If(PostgresServer.WhyNot is not null, PostgresServer.WhyNot);
        using var server = new PostgresServer();
        using var slots = new SemaphoreSlim(AtOnce);
        (string Step, byte[] Message)[] steps =
        [
            ("a member asks to leave", Manifest("LR")),
            ("the others are told to hold what comes", Manifest("BH")),
            ("another one holds it", Manifest("BA")),
            ("the owner is told to stop", Manifest("HO")),
            ("the owner has stopped", Manifest("ST")),
            ("the next one is told to host it", Manifest("HS")),
            ("the next one hosts it", Manifest("SS")),
            ("who asked is told where it is", Manifest("SH")),
            ("the database commits for the next one, and its answer is lost", []),
        ];
        await Task.WhenAll(steps.Select(async step =>
        {
            await slots.WaitAsync();
            try
            {
                await BreakAsync(server, step.Step, step.Message);
            }
            finally
            {
                slots.Release();
            }
        }));
    }

    private static async Task BreakAsync(PostgresServer server, string step, byte[] message)
    {
        await using var lab = new PoolLab(server);
        for (int i = 0; i < 3; i++)
        {
            await lab.StartAsync();
        }

        PoolLabMember leaver = lab.Members[2];
        await Task.WhenAll(Enumerable.Range(0, Jobs).Select(i => AcceptedAsync(lab, "before", i, lab.Members, step)));
        await TestWait.UntilAsync(() => Task.FromResult(lab.Members.All(member => member.Shards > 0)), $"{step}: every member has shards");

        var broken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        foreach (PoolLabMember member in lab.Members)
        {
            if (message.Length > 0)
            {
                member.DieAt(message, broken.TrySetResult);
            }
            else if (member != leaver)
            {
                member.LosesAnAnswer();
                broken.TrySetResult();
            }
        }

        Task left = Akka.Cluster.Cluster.Get(leaver.System).LeaveAsync();
        PoolLabMember[] stay = [lab.Members[0], lab.Members[1]];
        Task[] meanwhile = [.. Enumerable.Range(0, Jobs).Select(i => AcceptedAsync(lab, "during", i, stay, step))];
        await broken.Task.WaitAsync(Bound).ContinueWith(task => Assert.True(task.IsCompletedSuccessfully, $"{step}: nobody came to it"), TaskScheduler.Default);
        await Task.WhenAll(meanwhile);
        await Task.WhenAll(Enumerable.Range(0, Jobs).Select(i => ShownAsync(lab, "before", i, stay, step)));
        Assert.Equal(message.Length > 0 ? 1 : 0, lab.Members.Count(member => member.IsKilled));
        await CheckJournalAsync(lab, step);
        _ = left;
    }

    internal static async Task AcceptedAsync(PoolLab lab, string kind, int number, IReadOnlyList<PoolLabMember> members, string step)
    {
        string key = kind + number;
        DeviceId away = DeviceId.Parse(new string('z', DeviceId.TextLength));
        JobAccepted accepted = await AnsweredAsync<JobAccepted>(members, number, caller => new SubmitJob(
            JobId.FromIdempotencyKey(lab.Home, key),
            new JobSpec(JobCommand.Program("true"), new JobTarget(away, "@away", "away"), new Caller(caller, "caller", "user"), RetryPolicy.Default, JobTimeouts.Default, key, true)), $"{step}: {key} is accepted");
        Assert.Equal(JobId.FromIdempotencyKey(lab.Home, key), accepted.JobId);
    }

    internal static async Task ShownAsync(PoolLab lab, string kind, int number, IReadOnlyList<PoolLabMember> members, string step)
    {
        string key = kind + number;
        JobView view = await AnsweredAsync<JobView>(members, number, _ => new GetJob(JobId.FromIdempotencyKey(lab.Home, key)), $"{step}: {key} is shown");
        Assert.Equal(key, view.Spec.IdempotencyKey);
    }

    /// <summary>Asks one after the other until one answers, as a client with an idempotency key does.</summary>
    private static async Task<T> AnsweredAsync<T>(IReadOnlyList<PoolLabMember> members, int first, Func<DeviceId, object> question, string what)
    {
        long start = TimeProvider.System.GetTimestamp();
        for (int i = first; TimeProvider.System.GetElapsedTime(start) < Bound; i++)
        {
            PoolLabMember[] alive = [.. members.Where(member => !member.IsKilled)];
            PoolLabMember asked = alive[i % alive.Length];
            try
            {
                if (await asked.Jobs.Ask<object>(question(asked.Id), AnswerWithin) is T answer)
                {
                    return answer;
                }

                await Task.Delay(50);
            }
            catch (AskTimeoutException)
            {
                // Its shard is on its way, or the one that was asked has been killed.
            }
        }

        throw new TimeoutException($"it did not happen: {what}");
    }

    /// <summary>Each job was accepted once; its events follow each other, and no earlier owner wrote after a later one.</summary>
    private static async Task CheckJournalAsync(PoolLab lab, string step)
    {
        await using NpgsqlConnection connection = new(lab.Database + ";Pooling=false");
        await connection.OpenAsync();
        await using NpgsqlCommand command = new("SELECT n.persistence_id, e.sequence_nr, e.epoch, e.manifest FROM agentmesh.entities n JOIN agentmesh.events e USING (entity_key) ORDER BY 1, 2", connection);
        await using NpgsqlDataReader rows = await command.ExecuteReaderAsync();
        var events = new List<(string Id, long Number, long Epoch, string Manifest)>();
        while (await rows.ReadAsync())
        {
            events.Add((rows.GetString(0), rows.GetInt64(1), rows.GetInt64(2), rows.GetString(3)));
        }

        var jobs = events.GroupBy(each => each.Id).ToList();
        Assert.Equal(2 * Jobs, jobs.Count);
        foreach (var job in jobs)
        {
            Assert.True(job.Select((each, i) => each.Number == i + 1).All(right => right), $"{step}: {job.Key} has a gap");
            Assert.True(job.Zip(job.Skip(1)).All(pair => pair.First.Epoch <= pair.Second.Epoch), $"{step}: {job.Key} was written by an earlier owner");
            Assert.True(job.Count(each => each.Manifest == job.First().Manifest) == 1, $"{step}: {job.Key} was accepted more than once");
        }
    }

    /// <summary>How a manifest stands in a frame: with its length before it.</summary>
    private static byte[] Manifest(string name) => [(byte)name.Length, .. Encoding.ASCII.GetBytes(name)];
}
