using AgentMesh.Mesh;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Groups;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Jobs.Entity;
using AgentMesh.Mesh.Sharding;
using AgentMesh.Mesh.Workflows;
using AgentMesh.Protocol.Identity;
using Akka.Actor;
using Akka.Configuration;
using Simulation.Checks;
using Simulation.Engine;

namespace Simulation.World;

/// <summary>The device that keeps the jobs and schedules: its process is killed and started again, its disk stays.</summary>
internal sealed class SimHome(SimLoop loop, SimNetwork network, DeviceId id) : ISimHome
{
    private static readonly TimeSpan RestAfter = TimeSpan.FromSeconds(20);

    private readonly Dictionary<DeviceId, SimDevice> _devices = [];
    private SimMachine? _machine;
    private ActorSystem _system = null!;
    private IActorRef _shard = ActorRefs.Nobody;
    private long _life = 1_000;

    public DeviceId Id => id;

    public SimDisk Disk { get; } = new(loop);

    public SimClock Clock { get; } = new(loop);

    public bool IsUp => _machine is not null;

    public GroupWatch? Groups { get; set; }

    public void Know(SimDevice device) => _devices.Add(device.Id, device);

    public void Start()
    {
        _life++;
        var machine = new SimMachine(loop, Clock, Disk);
        _machine = machine;
        _system = machine.CreateSystem(Config.Empty);
        var environment = new JobEnvironment(id, LifeOf, (_, device) => WorkersOf(device), Clock, loop.Random.NextDouble, RestAfter);
        _shard = _system.ActorOf(Props.Create(() => new SimShard(environment, DevicesFor, _life, Groups)), "shard");
        IActorRef shard = _shard;
        EntityReviverSettings settings = EntityReviverSettings.Default;
        _system.ActorOf(EntityReviver.Create("jobs", shard, Open(JobId.Prefix, JobManifests.AtRest), text => JobId.TryParse(text, out JobId job) ? new WakeJob(job) : null, settings, Clock));
        _system.ActorOf(EntityReviver.Create("arrays", shard, Open(ArrayId.Prefix, ArrayManifests.AtRest), text => ArrayId.TryParse(text, out ArrayId array) ? new WakeArray(array) : null, settings, Clock));
        _system.ActorOf(EntityReviver.Create("workflows", shard, Open(WorkflowId.Prefix, WorkflowManifests.AtRest), text => WorkflowId.TryParse(text, out WorkflowId workflow) ? new WakeWorkflow(workflow) : null, settings, Clock));
        _system.ActorOf(EntityReviver.Create("groups", shard, Open(GroupId.Prefix, GroupManifests.Gone), text => GroupId.TryParse(text, out GroupId group) ? new GetGroup(group) : null, settings, Clock));
        _system.ActorOf(EntityReviver.Create("schedules", shard, Open(CronId.Prefix, CronManifests.Gone), text => CronId.TryParse(text, out CronId cron) ? new WakeCron(cron) : null, settings, Clock));
    }

    public void Stop() => _machine?.Process.Stop();

    public void Continue() => _machine?.Process.Continue();

    public void Kill()
    {
        Groups?.ForgotAll();
        _machine?.Kill();
        _machine = null;
    }

    /// <summary>As somebody at this device asks; nothing happens while the node is down.</summary>
    public void Ask(object message, Action<object> answered)
    {
        if (_machine is { Process.IsStopped: false })
        {
            _shard.Tell(message, new SimRef((ExtendedActorSystem)_system, new RootActorPath(new Address("akka", "agentmesh")) / "temp" / "asker", (answer, _) => answered(answer)));
        }
    }

    /// <summary>A message of a worker, which comes over the network.</summary>
    public void Deliver(DeviceId from, object message)
    {
        if (_machine is { Process.IsStopped: false })
        {
            _shard.Tell(message, WorkersOf(from));
        }
    }

    private SimRef WorkersOf(DeviceId device) => new(
        (ExtendedActorSystem)_system,
        new RootActorPath(new Address("akka.mesh", "agentmesh", device.ToString(), 1)) / "user" / "workers",
        (message, _) => network.Send(id, device, () => _devices[device].Receive(message)));

    private ArrayDevice[] DevicesFor(ArrayTargets targets) => [.. _devices.Values.Select(device => new ArrayDevice(device.Id, device.Id.ToString()[..4], device.LifeSeen is null ? "it is away" : null))];

    /// <summary>What the link to the device knows.</summary>
    private long? LifeOf(DeviceId device) => _devices[device] is { LifeSeen: { } life } ? life : null;

    private FindEntities Open(string prefix, IReadOnlySet<string> closed) => (limit, _) => Disk.Mood == DiskMood.Refuses
        ? Task.FromException<IReadOnlyList<string>>(new IOException("the disk is full"))
        : Task.FromResult<IReadOnlyList<string>>([.. Disk.Last.Where(last => last.Id.StartsWith(prefix, StringComparison.Ordinal) && !closed.Contains(last.Manifest)).Select(last => last.Id).Take(limit)]);
}
