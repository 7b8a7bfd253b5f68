using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Groups;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Jobs.Entity;
using AgentMesh.Mesh.Sharding;
using AgentMesh.Node.Hosting;
using AgentMesh.Node.Links;
using AgentMesh.Node.Links.Wire;
using AgentMesh.Node.Pools;
using AgentMesh.Node.Settings;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Workers.Supervision;
using Akka.Actor;
using Akka.Configuration;
using Simulation.Checks;
using Simulation.Engine;
using Simulation.Pools;
using Simulation.Wire;
using Simulation.World;

namespace Simulation.Mesh;

/// <summary>
/// A device of a simulated mesh: connections, links, generations, remoting, membership, sharding and entities are the product's, started as
/// <see cref="NodeHost"/> does; sockets, disk and programs are the simulator's.
/// </summary>
internal sealed class MeshNode : ISimHome
{
    private static readonly NodeSettings Settings = SettingsLoader.Load(new SettingsSource(null, "/nonexistent/agentmesh", new Dictionary<string, string>(StringComparer.Ordinal), _ => null));
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RestAfter = TimeSpan.FromSeconds(20);

    private readonly SimLoop _loop;
    private readonly SimWire _wire;
    private readonly SimIdentity _identity;
    private readonly SimAttempts _attempts;
    private readonly SimDate _date = new();
    private IReadOnlyList<MeshNode> _all = [];
    private SimMachine? _machine;
    private GenerationKeeper? _keeper;
    private LinkService? _links;
    private Equipment? _equipment;
    private PoolHost? _poolHost;
    private long _life;

    public MeshNode(SimLoop loop, SimWire wire, int number, Func<MeshNode, History> history)
    {
        _loop = loop;
        _wire = wire;
        Number = number;
        _identity = SimIdentity.Of(number);
        Disk = new SimDisk(loop);
        _attempts = new SimAttempts(loop, history(this), () => _life, Tell) { Longest = 15 };
    }

    public int Number { get; }

    public DeviceId Id => _identity.Id;

    public SimDisk Disk { get; }

    public bool IsUp => _machine is not null;

    public bool IsRunning => _machine is { Process.IsStopped: false };

    /// <summary>The pool that this device is a member of.</summary>
    public PoolPart? Pool { get; set; }

    /// <summary>What this device holds of its pool, as it believes; null while it takes no part in it, or does not run.</summary>
    public PoolSession? PoolSession => IsRunning ? _poolHost?.SessionOf(_keeper?.Live?.System) : null;

    public TimeSpan Skew
    {
        get => _date.Skew;
        set => _date.Skew = value;
    }

    /// <summary>Generations of this life of the node.</summary>
    public int Generations => _keeper?.Number ?? 0;

    public Generation? Live => _keeper?.Live;

    /// <summary>What the present generation was equipped with; null while there is none, or the process does not run.</summary>
    private Equipment? Equipped => IsRunning && _equipment is { } equipment && _keeper?.Live?.System == equipment.System ? equipment : null;

    public void Know(IReadOnlyList<MeshNode> all) => _all = all;

    public void Start()
    {
        _life = _loop.Random.Next(1, int.MaxValue);
        var process = new SimProcess(_loop);
        var clock = new SimClock(_loop, process, _date);
        var machine = new SimMachine(_loop, clock, Disk, process);
        _machine = machine;
        _poolHost = Pool?.Open(machine, Id);
        var endpoint = new SimEndpoint(_wire, _identity, process);

        // Where devices were found is a hint that is kept in a file: here it is not.
        var directory = new DeviceDirectory("/nonexistent/devices.json", clock) { Admitted = _all.Where(node => node != this).ToDictionary(node => node.Id, node => node._identity.Key) };
        foreach (MeshNode other in _all.Where(node => node != this))
        {
            directory.Told(other.Id, [other._identity.Address]);
        }

        var hub = new ConnectionHub(endpoint, directory, clock);
        var links = new LinkService(hub, directory, new NoRegistry(), Settings.Link, () => new Hello { Version = 1, Name = $"device-{Number}", Life = _life }, clock);
        var journal = new EventStoreSettings { Path = "/nonexistent/journal.db" };
        var keeper = new GenerationKeeper(
            links, directory, () => machine.CreateSystem(EngineConfig.Create(Settings, Id, journal, _poolHost?.Settings), new MeshTransportSetup(hub, clock) { IsInTouch = links.IsInTouch }), generation => Equip(generation, machine, links), clock, new SimLog(_loop, Id.ToString()[..4]));
        _links = links;
        _keeper = keeper;
        hub.Start();
        links.KeepAll();
        keeper.Start();
    }

    /// <param name="keepsPrograms">What runs outlives the node.</param>
    public void Kill(bool keepsPrograms)
    {
        _machine?.Kill();
        _machine = null;
        _keeper = null;
        _links = null;
        _equipment = null;
        _poolHost = null;
        if (!keepsPrograms)
        {
            _attempts.Kill();
        }
    }

    /// <summary>As a node that is told to stop: it hands over and goes. Whoever calls starts it again.</summary>
    public void Leave(Action gone)
    {
        if (_keeper is { } keeper && _machine is { } machine)
        {
            _ = LeaveAsync(keeper, machine, gone);
        }
    }

    private async Task LeaveAsync(GenerationKeeper keeper, SimMachine machine, Action gone)
    {
        await keeper.DisposeAsync();
        if (_poolHost is { } pool && machine == _machine)
        {
            await pool.Pool.DisposeAsync();
        }

        if (machine == _machine)
        {
            Kill(keepsPrograms: true);
            gone();
        }
    }

    public void Stop() => _machine?.Process.Stop();

    public void Continue() => _machine?.Process.Continue();

    private void Tell(JobId job, object message)
    {
        // The supervisor of an actor system ends with it; its successor tells again.
        if (Equipped is { } equipment && CoordinatedShutdown.Get(equipment.System).ShutdownReason is null)
        {
            equipment.Sharding.JobsOf(job.Home).Tell(message, equipment.Workers);
        }
    }

    public void Ask(object message, Action<object> answered)
    {
        if (Equipped is { } equipment)
        {
            IActorRef region = message switch
            {
                IArrayMessage => equipment.Sharding.Arrays,
                ICronMessage => equipment.Sharding.Crons,
                IGroupMessage group => (equipment.Sharding.TypesOf(group.GroupId.Home) ?? throw new InvalidOperationException($"{group.GroupId} is asked from outside")).Groups,
                IJobMessage job => equipment.Sharding.JobsOf(job.JobId.Home),
                _ => equipment.Sharding.Jobs,
            };
            _ = AskAsync(region, message, answered);
        }
    }

    private static async Task AskAsync(IActorRef region, object message, Action<object> answered)
    {
        try
        {
            answered(await region.Ask<object>(message, AnswerWithin));
        }
        catch (AskTimeoutException)
        {
            // The caller asks again.
        }
    }

    public long? LifeOf(DeviceId device) => device == Id ? _life : _links?.LifeOf(device);

    private void Equip(Generation generation, SimMachine machine, LinkService links)
    {
        ActorSystem system = generation.System;
        var environment = new JobEnvironment(Id, device => device == Id ? _life : links.LifeOf(device), WorkersOf, machine.Clock, _loop.Random.NextDouble, RestAfter)
        {
            AwayTimeout = Settings.Jobs.AwayTimeout,
            DevicesFor = _ => [.. _all.Select(node => new ArrayDevice(node.Id, $"device-{node.Number}", LifeOf(node.Id) is null ? "it is away" : null))],
        };
        MeshSharding sharding = MeshSharding.Start(system, environment);
        _poolHost?.Equip(generation, sharding, environment);
        IActorRef workers = system.ActorOf(Props.Create(() => new Workers(_attempts)), WorkerSupervisor.Name);
        Revive(system, "jobs", sharding.Jobs, JobId.Prefix, JobManifests.AtRest, text => JobId.TryParse(text, out JobId job) ? new WakeJob(job) : null, machine.Clock);
        Revive(system, "groups", sharding.Groups, GroupId.Prefix, GroupManifests.Gone, text => GroupId.TryParse(text, out GroupId group) ? new GetGroup(group) : null, machine.Clock);
        Revive(system, "schedules", sharding.Crons, CronId.Prefix, CronManifests.Gone, text => CronId.TryParse(text, out CronId cron) ? new WakeCron(cron) : null, machine.Clock);
        Revive(system, "arrays", sharding.Arrays, ArrayId.Prefix, ArrayManifests.AtRest, text => ArrayId.TryParse(text, out ArrayId array) ? new WakeArray(array) : null, machine.Clock);
        _equipment = new Equipment(system, sharding, workers);
        _loop.Note($"{Id.ToString()[..4]} {Number} generation {generation.Number} with {generation.Members.Count}");
    }

    private void Revive(ActorSystem system, string kind, IActorRef region, string prefix, IReadOnlySet<string> closed, Func<string, object?> wake, TimeProvider time) => system.ActorOf(EntityReviver.Create(
        kind,
        region,
        (limit, _) => Disk.Mood == DiskMood.Refuses
            ? Task.FromException<IReadOnlyList<string>>(new IOException("the disk is full"))
            : Task.FromResult<IReadOnlyList<string>>([.. Disk.Last.Where(last => last.Id.StartsWith(prefix, StringComparison.Ordinal) && !closed.Contains(last.Manifest)).Select(last => last.Id).Take(limit)]),
        wake,
        EntityReviverSettings.Default,
        time));

    private ICanTell WorkersOf(IActorContext context, DeviceId device) => device == Id
        ? context.System.ActorSelection("/user/" + WorkerSupervisor.Name)
        : context.System.ActorSelection(new RootActorPath(new Address("akka.mesh", EngineConfig.SystemName, device.ToString(), MeshTransport.Port)) / "user" / WorkerSupervisor.Name);

    private sealed record Equipment(ActorSystem System, MeshSharding Sharding, IActorRef Workers);

    private sealed class Workers : ReceiveActor
    {
        public Workers(SimAttempts attempts) => ReceiveAny(attempts.Receive);
    }

    /// <summary>All devices know each other from the beginning.</summary>
    private sealed class NoRegistry : IRegistryExchange
    {
        public event Action? Changed
        {
            add { }
            remove { }
        }

        public IReadOnlyDictionary<DeviceId, ulong> Heads() => new Dictionary<DeviceId, ulong>();

        public IReadOnlyList<byte[]> EntriesAfter(IReadOnlyDictionary<DeviceId, ulong> heads, int most) => [];

        public void Take(IEnumerable<byte[]> entries)
        {
        }
    }
}
