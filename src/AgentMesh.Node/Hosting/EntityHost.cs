using System.Runtime.CompilerServices;
using AgentMesh.Errors;
using AgentMesh.Journal;
using AgentMesh.Mesh;
using AgentMesh.Mesh.Arrays;
using AgentMesh.Mesh.Artifacts;
using AgentMesh.Mesh.Contracts;
using AgentMesh.Mesh.Cron;
using AgentMesh.Mesh.Groups;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Mesh.Jobs.Entity;
using AgentMesh.Mesh.Registry;
using AgentMesh.Mesh.Sharding;
using AgentMesh.Mesh.Workflows;
using AgentMesh.Node.Artifacts;
using AgentMesh.Node.Input;
using AgentMesh.Node.Links;
using AgentMesh.Node.Output;
using AgentMesh.Node.Pools;
using AgentMesh.Node.Schedules;
using AgentMesh.Node.Webhooks;
using AgentMesh.Node.Services;
using AgentMesh.Node.Settings;
using AgentMesh.Node.Trust;
using AgentMesh.Protocol.Identity;
using AgentMesh.Remoting;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Limits;
using AgentMesh.Workers.Supervision;
using Akka.Actor;
using Akka.Cluster;

namespace AgentMesh.Node.Hosting;

/// <summary>Starts the entities and workers in each generation, and wakes the schedules, and the jobs that an earlier one left unfinished.</summary>
internal sealed class EntityHost(
    DeviceId self, long life, NodeSettings settings, DeviceRegistry registry, LinkService links, DeviceDirectory directory, DeviceChoice choice, CommandPermissions permissions, ConnectionHub hub, ExecutionTable table, IAttemptAudit audit, SqliteEventStore journal, CronLog cronLog, Notifier notifier, OutputReading output, PoolHost? pool, ArtifactStores artifacts, TimeProvider time)
{
    private static readonly TimeSpan RestAfter = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan WakeWithin = TimeSpan.FromSeconds(30);

    private readonly RateLimiter _limiter = new(settings.Limits, self, settings.DeviceName, time);
    private readonly ConditionalWeakTable<Generation, MeshSharding> _shardings = [];

    public MeshSharding? Of(Generation generation) => _shardings.TryGetValue(generation, out MeshSharding? sharding) ? sharding : null;

    public void Equip(Generation generation)
    {
        var environment = new JobEnvironment(self, LifeOf, WorkersOf, time, NextRandom, RestAfter) { LastSeenOf = directory.LastSeen, AwayTimeout = settings.Jobs.AwayTimeout, DevicesFor = choice.DevicesFor, ChooseForCron = choice.ForCron, Deliver = notifier.DeliverAsync, ReadOutput = output.ReadStdoutAsync, ArtifactsTaken = ArtifactsTakenAsync };
        MeshSharding sharding = MeshSharding.Start(generation.System, environment, cronLog.Write);
        pool?.Equip(generation, sharding, environment);
        _shardings.AddOrUpdate(generation, sharding);
        Cluster cluster = Cluster.Get(generation.System);
        var workers = new WorkerSettings(self, life, table, settings.Aliases, permissions.Refusal, audit, job => sharding.JobsOf(job.Home)) { SpeaksFor = (home, device) => SpeaksFor(cluster, home, device), Limiter = _limiter, Confine = permissions.ConfinementOf, Random = NextRandom };
        generation.System.ActorOf(WorkerSupervisor.Create(workers), WorkerSupervisor.Name);
        generation.System.ActorOf(
            EntityReviver.Create("jobs", sharding.Jobs, Open(sharding.Jobs, JobId.Prefix, JobManifests.AtRest), WakeJob, EntityReviverSettings.Default, time), "job-reviver");
        generation.System.ActorOf(
            EntityReviver.Create("schedules", sharding.Crons, Open(sharding.Crons, CronId.Prefix, CronManifests.Gone), WakeCron, EntityReviverSettings.Default, time), "cron-reviver");
        generation.System.ActorOf(
            EntityReviver.Create("arrays", sharding.Arrays, Open(sharding.Arrays, ArrayId.Prefix, ArrayManifests.AtRest), WakeArray, EntityReviverSettings.Default, time), "array-reviver");
        generation.System.ActorOf(
            EntityReviver.Create("workflows", sharding.Workflows, Open(sharding.Workflows, WorkflowId.Prefix, WorkflowManifests.AtRest), WakeWorkflow, EntityReviverSettings.Default, time), "workflow-reviver");
        generation.System.ActorOf(
            EntityReviver.Create("groups", sharding.Groups, Open(sharding.Groups, GroupId.Prefix, GroupManifests.Gone), WakeGroup, EntityReviverSettings.Default, time), "group-reviver");
        generation.System.ActorOf(PeerRecorder.Create(self, sharding.Peers, registry, links, directory, hub, time), "peer-recorder");
    }

    /// <summary>Output is taken only from the device that the job's home has sent the attempt to.</summary>
    public async Task<OutputRefusal?> MayDeliverAsync(MeshSharding? sharding, string jobId, int attempt, DeviceId from, CancellationToken cancellationToken)
    {
        if (!JobId.TryParse(jobId, out JobId job) || (job.Home != self && job.Home != pool?.Home))
        {
            return OutputRefusal.UnknownJob;
        }

        if (sharding is null)
        {
            // The node is starting: it does not know yet, and the sender asks again.
            return OutputRefusal.StoreFailed;
        }

        object answer = await sharding.JobsOf(job.Home).Ask<object>(new GetJob(job), WakeWithin, cancellationToken).ConfigureAwait(false);
        return answer switch
        {
            JobView view when view.Attempt > attempt => OutputRefusal.OlderAttempt,
            JobView view when view.Attempt == attempt && view.Device == from => null,
            JobView => OutputRefusal.NotYours,
            _ => OutputRefusal.UnknownJob,
        };
    }

    /// <summary>The members of a pool are those with its role: this device may be none, and cannot ask the database.</summary>
    private static bool SpeaksFor(Cluster cluster, HomeId home, DeviceId device) => home.IsPool
        ? cluster.State.Members.Any(member => member.Status is MemberStatus.Up or MemberStatus.WeaklyUp or MemberStatus.Leaving && member.HasRole(MeshSharding.RoleOf(home)) && member.Address.Host == device.ToString())
        : home == device;

    /// <summary>Between two devices that do not reach each other the home passes input on, if the job names the sender. A sender on the home itself learns no more than whether the attempt is over.</summary>
    public async Task<(DeviceId? To, InputRefusal Why)> RouteInputAsync(MeshSharding? sharding, JobId job, int attempt, DeviceId from, CancellationToken cancellationToken)
    {
        if (job.Home != self || sharding is null)
        {
            return (null, InputRefusal.NotHere);
        }

        object answer = await sharding.Jobs.Ask<object>(new GetJob(job), WakeWithin, cancellationToken).ConfigureAwait(false);
        return answer switch
        {
            JobView view when from != self && view.Spec.Command.Input?.From != from => (null, InputRefusal.NotYours),
            JobView view when view.State.IsAtRest() || view.Attempt > attempt => (null, InputRefusal.Over),
            JobView view when from != self && view.Attempt == attempt && view.Device is { } device && device != self => (device, default),
            _ => (null, InputRefusal.NotHere),
        };
    }

    /// <summary>Artifacts are taken and given only while the attempt is out, so that what is recorded of it stays as it is.</summary>
    public async Task<(OutputRefusal? Refusal, JobSpec? Spec)> MayTransferAsync(MeshSharding? sharding, string jobId, int attempt, DeviceId from, CancellationToken cancellationToken)
    {
        if (!JobId.TryParse(jobId, out JobId job) || artifacts.Of(job.Home) is null)
        {
            return (OutputRefusal.UnknownJob, null);
        }

        if (await MayDeliverAsync(sharding, jobId, attempt, from, cancellationToken).ConfigureAwait(false) is { } refusal)
        {
            return (refusal, null);
        }

        object answer = await sharding!.JobsOf(job.Home).Ask<object>(new GetJob(job), WakeWithin, cancellationToken).ConfigureAwait(false);
        return answer is JobView view && view.Attempt == attempt && view.Device == from && view.State.HasAttempt() ? (null, view.Spec) : (OutputRefusal.OlderAttempt, null);
    }

    private long? LifeOf(DeviceId device) => device == self ? life : links.LifeOf(device);

    private ICanTell WorkersOf(IActorContext context, DeviceId device) => device == self
        ? context.System.ActorSelection("/user/" + WorkerSupervisor.Name)
        : context.System.ActorSelection(new RootActorPath(new Address("akka.mesh", EngineConfig.SystemName, device.ToString(), MeshTransport.Port)) / "user" / WorkerSupervisor.Name);

    private async Task<IReadOnlySet<string>> ArtifactsTakenAsync(JobId job, int attempt, ValueList<ArtifactRef> told)
    {
        if (artifacts.Of(job.Home) is not { } store)
        {
            return new HashSet<string>();
        }

        IReadOnlyList<StoredArtifact> stored = await store.ListAsync(job.ToString(), null, ArtifactNames.CountMax, CancellationToken.None).ConfigureAwait(false);
        return told.Where(artifact => stored.Any(each => each.Name == artifact.Name && each.Attempt == attempt && each.Hash == artifact.Hash.Hex && each.Size == artifact.Size))
            .Select(artifact => artifact.Name).ToHashSet();
    }

    /// <summary>Those that are not awake.</summary>
    private FindEntities Open(IActorRef region, string prefix, IReadOnlySet<string> closedBy) => async (limit, cancellationToken) =>
    {
        IReadOnlySet<string> awake = (await RegionView.AskAsync(region, cancellationToken).ConfigureAwait(false)).Awake;
        return [.. (await journal.OpenAsync($"{prefix}{self}/", closedBy, limit, cancellationToken, id => !awake.Contains(id)).ConfigureAwait(false)).Select(entity => entity.PersistenceId)];
    };

    private static WakeJob? WakeJob(string id) => JobId.TryParse(id, out JobId job) ? new WakeJob(job) : null;

    private static WakeArray? WakeArray(string id) => ArrayId.TryParse(id, out ArrayId array) ? new WakeArray(array) : null;

    private static WakeWorkflow? WakeWorkflow(string id) => WorkflowId.TryParse(id, out WorkflowId workflow) ? new WakeWorkflow(workflow) : null;

    private static GetGroup? WakeGroup(string id) => GroupId.TryParse(id, out GroupId group) ? new GetGroup(group) : null;

    private static WakeCron? WakeCron(string id) => CronId.TryParse(id, out CronId cron) ? new WakeCron(cron) : null;

#pragma warning disable RS0030 // jitter of retries: the one place where the node takes chance from the process
    private static double NextRandom() => Random.Shared.NextDouble();
#pragma warning restore RS0030
}
