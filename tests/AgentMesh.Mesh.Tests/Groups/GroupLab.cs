using System.Collections.Immutable;
using System.Globalization;
using System.Threading.Channels;
using AgentMesh.Mesh.Groups;
using AgentMesh.Mesh.Groups.Entity;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Tests.Jobs;
using AgentMesh.Protocol.Identity;
using Akka.Actor;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Groups;

/// <summary>One group at its home with a journal in memory; the jobs are the test.</summary>
internal sealed class GroupLab : EntityLab
{
    private readonly Channel<object> _answers = Channel.CreateUnbounded<object>();
    private IActorRef? _asker;

    public static GroupId Id { get; } = new(Home, "train");

    public ShiftedTime Time { get; } = new();

    /// <summary>Who speaks for the home, as the group knows it; its own device does.</summary>
    public ImmutableHashSet<DeviceId> Members { get; set; } = [Home];

    public static JobId Job(int number) => JobId.FromIdempotencyKey(Home, "group " + number.ToString(CultureInfo.InvariantCulture));

    public Task<GroupView> Set(int? max = null, bool? paused = null) => Ask<GroupView>(new SetGroup(Id, max, LiftMax: false, paused));

    public void AskTurn(int job, int priority = 0, string share = "ada") => Entity.Tell(new AskTurn(Id, Job(job), priority, share), _asker ??= System.ActorOf(Props.Create(() => new Mailbox(_answers.Writer))));

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
        Entity.Tell(Rested(job, state), Jobs.Ref);

    /// <summary>As <see cref="Ends"/>, said at another device.</summary>
    public void EndsAt(DeviceId device, int job) => Entity.Tell(Rested(job, JobStateName.Completed), new ForeignRef((ExtendedActorSystem)System, device, "job"));

    /// <summary>The device of the job does not know the group's one as a member yet.</summary>
    public void Refuses(int job) => Entity.Tell(new JobProblem(Job(job), new Problem(MeshErrors.NotYours, "not shown to you")), Jobs.Ref);

    public void Unknown(int job) => Entity.Tell(new JobProblem(Job(job), new Problem(MeshErrors.UnknownJob, "gone")), Jobs.Ref);

    /// <summary>The next questions for the end of a job.</summary>
    public async Task<IReadOnlyList<JobId>> NextWatched(int count)
    {
        var watched = new HashSet<JobId>();
        while (watched.Count < count)
        {
            watched.Add((await Jobs.Next<AwaitJob>()).Message.JobId);
        }

        return [.. watched];
    }

    public Task<GroupView> View() => Ask<GroupView>(new GetGroup(Id));

    public Task Until(Func<GroupView, bool> holds) => Until(View, holds);

    protected override Props Create() => GroupEntity.Create(Id, new GroupEnvironment(Home, () => Jobs.Ref, Time, TimeSpan.FromMinutes(1)) { IsHome = device => Members.Contains(device) });

    private static JobView Rested(int job, JobStateName state) => new(Job(job), state, Spec, 1, Gpu, null, null, Start, Start, Start, null, false, null);

    private sealed class Mailbox : ReceiveActor
    {
        public Mailbox(ChannelWriter<object> to) => ReceiveAny(message => to.TryWrite(message));
    }
}
