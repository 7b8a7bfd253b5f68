using System.Globalization;
using System.Threading.Channels;
using AgentMesh.Mesh.Groups;
using AgentMesh.Mesh.Groups.Entity;
using AgentMesh.Mesh.Jobs;
using Akka.Actor;
using Akka.Configuration;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Groups;

/// <summary>One group at its home with a journal in memory; the jobs are the test.</summary>
internal sealed class GroupLab : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly JobsOfTest _jobs;
    private readonly Channel<object> _answers = Channel.CreateUnbounded<object>();
    private readonly IActorRef _asker;

    public GroupLab()
    {
        System = ActorSystem.Create("agentmesh", ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF\nakka.log-dead-letters = off"));
        _jobs = new JobsOfTest(System);
        _asker = System.ActorOf(Props.Create(() => new Mailbox(_answers.Writer)));
        Entity = Begin();
    }

    public static GroupId Id { get; } = new(Home, "train");

    public ActorSystem System { get; }

    public ShiftedTime Time { get; } = new();

    public IActorRef Entity { get; private set; }

    public static JobId Job(int number) => JobId.FromIdempotencyKey(Home, "group " + number.ToString(CultureInfo.InvariantCulture));

    public async Task<T> Ask<T>(object message) => Assert.IsType<T>(await Entity.Ask<object>(message, Patience));

    public Task<GroupView> Set(int? max = null, bool? paused = null) => Ask<GroupView>(new SetGroup(Id, max, LiftMax: false, paused));

    public void AskTurn(int job, int priority = 0, string share = "ada") => Entity.Tell(new AskTurn(Id, Job(job), priority, share), _asker);

    /// <summary>The next answers that grant a turn.</summary>
    public async Task<IReadOnlyList<int>> NextGranted(int count)
    {
        var granted = new List<int>();
        using var limit = new CancellationTokenSource(Patience);
        while (granted.Count < count)
        {
            if (await _answers.Reader.ReadAsync(limit.Token) is TurnAnswer { IsGranted: true } answer)
            {
                granted.Add(Enumerable.Range(0, 10_000).First(each => Job(each) == answer.JobId));
            }
        }

        return granted;
    }

    /// <summary>The next answer that does not.</summary>
    public async Task<string> NextWhy()
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            if (await _answers.Reader.ReadAsync(limit.Token) is TurnAnswer { IsGranted: false } answer)
            {
                return answer.Why!;
            }
        }
    }

    /// <summary>The job comes to rest, and says so to the group that asked.</summary>
    public void Ends(int job, JobStateName state = JobStateName.Completed) =>
        Entity.Tell(new JobView(Job(job), state, Spec, 1, Gpu, null, null, Start, Start, Start, null, false, null), _jobs.Ref);

    public void Unknown(int job) => Entity.Tell(new JobProblem(Job(job), new Problem(MeshErrors.UnknownJob, "gone")), _jobs.Ref);

    /// <summary>The next questions for the end of a job.</summary>
    public async Task<IReadOnlyList<JobId>> NextWatched(int count)
    {
        var watched = new HashSet<JobId>();
        while (watched.Count < count)
        {
            watched.Add((await _jobs.Next<AwaitJob>()).Message.JobId);
        }

        return [.. watched];
    }

    public async Task Until(Func<GroupView, bool> holds)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!holds(await Ask<GroupView>(new GetGroup(Id))))
        {
            await Task.Delay(10, limit.Token);
        }
    }

    /// <summary>The entity goes as with its process; a new one reads the journal.</summary>
    public async Task Restart()
    {
        await Entity.GracefulStop(Patience);
        _jobs.Forget();
        Entity = Begin();
    }

    public async ValueTask DisposeAsync() => await System.Terminate().WaitAsync(Patience);

    private IActorRef Begin() => System.ActorOf(GroupEntity.Create(Id, new GroupEnvironment(Home, () => _jobs.Ref, Time, TimeSpan.FromMinutes(1))));

    private sealed class Mailbox : ReceiveActor
    {
        public Mailbox(ChannelWriter<object> to) => ReceiveAny(message => to.TryWrite(message));
    }
}
