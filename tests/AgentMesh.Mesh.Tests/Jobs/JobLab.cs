using System.Collections.Concurrent;
using System.Collections.Immutable;
using AgentMesh.Mesh.Groups;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Jobs.Entity;
using AgentMesh.Mesh.Tests.Webhooks;
using AgentMesh.Protocol.Identity;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Configuration;
using Akka.Persistence;
using Akka.Persistence.Journal;
using static AgentMesh.Mesh.Tests.Samples;

namespace AgentMesh.Mesh.Tests.Jobs;

/// <summary>Jobs at their home with a journal in memory; the executing device and its workers are the test.</summary>
internal sealed class JobLab : IAsyncDisposable
{
    public const long Life = 5;

    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly ConcurrentDictionary<string, JobLab> ByName = new();

    private readonly string _name = Guid.NewGuid().ToString("N");
    private readonly JobsOfTest _groups;
    private readonly ConcurrentDictionary<DeviceId, long> _lives = new() { [Gpu] = Life };

    public JobLab(TimeSpan? restAfter = null)
    {
        ByName[_name] = this;
        System = ActorSystem.Create("agentmesh", ConfigurationFactory.ParseString($$"""
            akka.loglevel = OFF
            akka.stdout-loglevel = OFF
            akka.log-dead-letters = off
            akka.persistence.journal {
              plugin = "akka.persistence.journal.lab"
              lab { class = "AgentMesh.Mesh.Tests.Jobs.LabJournal, AgentMesh.Mesh.Tests", lab = "{{_name}}" }
            }
            """));
        _groups = new JobsOfTest(System);
        Workers = new ForeignRef((ExtendedActorSystem)System, Gpu, "workers");
        var environment = new JobEnvironment(
            Home, device => _lives.TryGetValue(device, out long life) ? life : null, (_, device) => device == Gpu ? Workers : ActorRefs.Nobody, Time, () => 0, restAfter ?? TimeSpan.FromMinutes(1))
        {
            AwayTimeout = TimeSpan.FromHours(1),
            Jobs = () => Shard!,
            Groups = () => _groups.Ref,
            Deliver = Parcels.Deliver,
            LastSeenOf = device => device == Gpu ? Time.GetUtcNow() - TimeSpan.FromMinutes(3.5) : null,
        };
        Shard = System.ActorOf(Props.Create(() => new OneShard(environment)), "shard");
    }

    public ActorSystem System { get; }

    public ForeignRef Workers { get; }

    public ShiftedTime Time { get; } = new();

    /// <summary>What is told to URLs.</summary>
    public ParcelsOfTest Parcels { get; } = new();

    /// <summary>Keeps the entity of each job, as sharding does.</summary>
    public IActorRef Shard { get; }

    /// <summary>Every event that was stored, in order.</summary>
    public ConcurrentQueue<object> Stored { get; } = [];

    /// <summary>Runs before each write; a task that fails fails the write.</summary>
    public Func<object, Task>? BeforeWrite { get; set; }

    public static JobLab Find(string name) => ByName[name];

    /// <summary>The groups of this home, as the job sees them.</summary>
    public IActorRef Groups => _groups.Ref;

    public int TurnsAsked => _groups.Waiting;

    public Task<(AskTurn Message, IActorRef Asker)> NextTurn() => _groups.Next<AskTurn>();

    public void Leave() => _lives.TryRemove(Gpu, out _);

    public void Come(long life = Life) => _lives[Gpu] = life;

    public Task<object> Ask(object message) => Shard.Ask<object>(message, Patience);

    public async Task<T> Ask<T>(object message) => Assert.IsType<T>(await Ask(message));

    public Task<JobView> View() => Ask<JobView>(new GetJob(Job));

    public async Task<RunAttempt> Submit(JobSpec? spec = null)
    {
        Assert.False((await Ask<JobAccepted>(new SubmitJob(Job, spec ?? Spec))).Repeated);
        return await Workers.Next<RunAttempt>();
    }

    /// <summary>As the workers of the executing device say it.</summary>
    public void Say(object message) => Shard.Tell(message, Workers);

    public async Task<JobView> Until(JobStateName state, Predicate<JobView>? and = null)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            JobView view = await View();
            if (view.State == state && and?.Invoke(view) != false)
            {
                return view;
            }

            await Task.Delay(10, limit.Token);
        }
    }

    /// <summary>The entity is gone from memory, as after the death of the process; the next message brings it back from the journal.</summary>
    public Task Kill() => Shard.Ask<string>(new KillEntity(Job), Patience);

    public async ValueTask DisposeAsync()
    {
        await System.Terminate().WaitAsync(Patience);
        ByName.TryRemove(_name, out _);
    }

    public sealed record KillEntity(JobId JobId) : IJobMessage;

    public sealed record IsAlive(JobId JobId) : IJobMessage;

    private sealed class OneShard : ReceiveActor
    {
        private readonly Dictionary<JobId, IActorRef> _entities = [];
        private readonly Dictionary<IActorRef, IActorRef> _killers = [];

        public OneShard(JobEnvironment environment)
        {
            Receive<IsAlive>(asked => Sender.Tell(_entities.ContainsKey(asked.JobId)));
            Receive<KillEntity>(kill =>
            {
                if (_entities.TryGetValue(kill.JobId, out IActorRef? entity))
                {
                    _killers[entity] = Sender;
                    Context.Stop(entity);
                }
                else
                {
                    Sender.Tell("gone");
                }
            });
            Receive<Passivate>(passivate => Sender.Tell(passivate.StopMessage));
            Receive<Terminated>(gone =>
            {
                foreach (JobId id in _entities.Where(pair => pair.Value.Equals(gone.ActorRef)).Select(pair => pair.Key).ToArray())
                {
                    _entities.Remove(id);
                }

                if (_killers.Remove(gone.ActorRef, out IActorRef? killer))
                {
                    killer.Tell("gone");
                }
            });
            Receive<IJobMessage>(message =>
            {
                if (!_entities.TryGetValue(message.JobId, out IActorRef? entity))
                {
                    _entities[message.JobId] = entity = Context.Watch(Context.ActorOf(JobEntity.Create(message.JobId, environment)));
                }

                entity.Forward(message);
            });
        }
    }
}

internal sealed class LabJournal(Config config) : MemoryJournal
{
    private readonly JobLab _lab = JobLab.Find(config.GetString("lab"));

    protected override async Task<IImmutableList<Exception>?> WriteMessagesAsync(IEnumerable<AtomicWrite> messages)
    {
        AtomicWrite[] writes = [.. messages];
        object[] events = [.. writes.SelectMany(write => (IEnumerable<IPersistentRepresentation>)write.Payload).Select(each => each.Payload)];
        foreach (object change in events)
        {
            await (_lab.BeforeWrite?.Invoke(change) ?? Task.CompletedTask);
        }

        IImmutableList<Exception>? rejected = await base.WriteMessagesAsync(writes);
        foreach (object change in events)
        {
            _lab.Stored.Enqueue(change);
        }

        return rejected;
    }
}
