using System.Threading.Channels;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Sharding;
using Akka.Actor;
using Akka.Configuration;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Sharding;

public sealed class EntityReviverTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly JobId[] Jobs = [.. Enumerable.Range(0, 10).Select(i => JobId.FromIdempotencyKey(Home, $"job {i}"))];
    private static readonly EntityReviverSettings Quick = EntityReviverSettings.Default with { Every = TimeSpan.FromMilliseconds(20), AtOnce = 3 };

    private readonly ActorSystem _system = ActorSystem.Create("reviver", ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF"));
    private readonly Channel<(JobId Job, IActorRef Asker)> _woken = Channel.CreateUnbounded<(JobId, IActorRef)>();
    private readonly IActorRef _region;

    public EntityReviverTests() => _region = _system.ActorOf(Props.Create(() => new Region(_woken.Writer)));

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _system.Terminate().WaitAsync(Patience);

    [Fact]
    public async Task A_few_at_a_time_are_woken_and_each_answer_makes_room_for_the_next()
    {
        Start(Quick with { Every = TimeSpan.FromHours(1) }, (_, _) => Task.FromResult<IReadOnlyList<string>>([.. Jobs.Select(job => job.ToString())]));
        var woken = new List<JobId>();
        for (int i = 0; i < Jobs.Length; i++)
        {
            (JobId job, IActorRef asker) = await Next();
            woken.Add(job);
            await Task.Delay(20);
            Assert.True(_woken.Reader.Count <= Quick.AtOnce - 1);
            asker.Tell(new JobProblem(job, new Problem(MeshErrors.UnknownJob, "")));
        }

        Assert.Equal(Jobs, woken);
    }

    [Fact]
    public async Task A_journal_that_fails_is_asked_again_and_rounds_repeat()
    {
        int asked = 0;
        Start(Quick, (_, _) => ++asked switch
        {
            1 => throw new IOException("not yet"),
            2 => Task.FromException<IReadOnlyList<string>>(new IOException("not yet")),
            _ => Task.FromResult<IReadOnlyList<string>>([Jobs[0].ToString()]),
        });
        for (int round = 0; round < 3; round++)
        {
            (JobId job, IActorRef asker) = await Next();
            Assert.Equal(Jobs[0], job);
            asker.Tell(new JobProblem(job, new Problem(MeshErrors.UnknownJob, "")));
        }
    }

    [Fact]
    public async Task An_entity_that_does_not_answer_and_an_id_that_is_none_hold_up_nothing()
    {
        Start(Quick with { AtOnce = 1, AnswerWithin = TimeSpan.FromMilliseconds(10), Every = TimeSpan.FromHours(1) }, (_, _) => Task.FromResult<IReadOnlyList<string>>(["no job", Jobs[0].ToString(), Jobs[1].ToString()]));
        Assert.Equal(Jobs[0], (await Next()).Job);
        Assert.Equal(Jobs[1], (await Next()).Job);
    }

    private void Start(EntityReviverSettings settings, FindEntities find) => _system.ActorOf(
        EntityReviver.Create("jobs", _region, find, id => JobId.TryParse(id, out JobId job) ? new WakeJob(job) : null, settings, TimeProvider.System));

    private async Task<(JobId Job, IActorRef Asker)> Next()
    {
        using var limit = new CancellationTokenSource(Patience);
        return await _woken.Reader.ReadAsync(limit.Token);
    }

    private sealed class Region : ReceiveActor
    {
        public Region(ChannelWriter<(JobId, IActorRef)> to) => Receive<WakeJob>(wake => to.TryWrite((wake.JobId, Sender)));
    }
}
