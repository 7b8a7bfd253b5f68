using Akka.Actor.Internal;
using Akka.Configuration;
using Akka.Event;

namespace Akka.Actor;

/// <summary>
/// Ends a system in phases: the tasks of a phase run at the same time, a phase starts when those it depends on are done or have timed out.
/// Section <c>akka.coordinated-shutdown</c>.
/// </summary>
public sealed class CoordinatedShutdown : IExtension
{
    public const string PhaseBeforeServiceUnbind = "before-service-unbind";
    public const string PhaseServiceUnbind = "service-unbind";
    public const string PhaseServiceRequestsDone = "service-requests-done";
    public const string PhaseServiceStop = "service-stop";
    public const string PhaseBeforeClusterShutdown = "before-cluster-shutdown";
    public const string PhaseClusterShardingShutdownRegion = "cluster-sharding-shutdown-region";
    public const string PhaseClusterLeave = "cluster-leave";
    public const string PhaseClusterExiting = "cluster-exiting";
    public const string PhaseClusterExitingDone = "cluster-exiting-done";
    public const string PhaseClusterShutdown = "cluster-shutdown";
    public const string PhaseBeforeActorSystemTerminate = "before-actor-system-terminate";
    public const string PhaseActorSystemTerminate = "actor-system-terminate";

    private readonly ShutdownPhases _phases;
    private readonly Dictionary<string, List<(string Name, Func<Task<Done>> Run)>> _tasks = new(StringComparer.Ordinal);
    private readonly ILoggingAdapter _log;
    private Task<Done>? _running;

    internal CoordinatedShutdown(ExtendedActorSystem system)
    {
        System = system;
        _log = Logging.GetLogger(system, nameof(CoordinatedShutdown));
        _phases = ShutdownPhases.Read(system.Settings.Config.GetConfig("akka.coordinated-shutdown") ?? Config.Empty);
    }

    public ExtendedActorSystem System { get; }

    /// <summary>Why the shutdown runs; null while it does not.</summary>
    public Reason ShutdownReason { get; private set; } = null!;

    /// <summary>The longest that all phases together can take.</summary>
    public TimeSpan TotalTimeout => _phases.Ordered.Aggregate(TimeSpan.Zero, (sum, phase) => sum + phase.Timeout);

    public static CoordinatedShutdown Get(ActorSystem sys) => (CoordinatedShutdown)sys.RegisterExtension(new CoordinatedShutdownExtension());

    /// <param name="phase">A phase of the configuration.</param>
    /// <exception cref="ArgumentException">There is no such phase.</exception>
    public void AddTask(string phase, string taskName, Func<Task<Done>> task)
    {
        ShutdownPhase known = _phases.Get(phase);
        if (string.IsNullOrEmpty(taskName))
            throw new ArgumentException("A task needs a name, so that the log can tell which one is slow", nameof(taskName));
        lock (_tasks)
        {
            if (!_tasks.TryGetValue(known.Name, out List<(string, Func<Task<Done>>)>? tasks))
                _tasks.Add(known.Name, tasks = []);
            tasks.Add((taskName, task));
        }
    }

    /// <exception cref="ArgumentException">There is no such phase.</exception>
    public TimeSpan Timeout(string phase) => _phases.Get(phase).Timeout;

    /// <summary>Runs the phases. A second call returns the task of the first.</summary>
    /// <param name="fromPhase">Leaves out the phases before this one.</param>
    /// <returns>Fails when a task of a phase without <c>recover</c> failed or timed out.</returns>
    public Task<Done> Run(Reason reason, string fromPhase = null!)
    {
        ArgumentNullException.ThrowIfNull(reason);
        IReadOnlyList<ShutdownPhase> phases = _phases.From(fromPhase);
        lock (_tasks)
        {
            if (_running is not null)
                return _running;
            ShutdownReason = reason;
            return _running = Task.Run(() => RunPhases(phases));
        }
    }

    private async Task<Done> RunPhases(IReadOnlyList<ShutdownPhase> phases)
    {
        foreach (ShutdownPhase phase in phases)
        {
            if (phase.Enabled)
                await RunPhase(phase).ConfigureAwait(false);
        }

        return Done.Instance;
    }

    private async Task RunPhase(ShutdownPhase phase)
    {
        (string Name, Func<Task<Done>> Run)[] tasks;
        lock (_tasks)
            tasks = _tasks.TryGetValue(phase.Name, out List<(string, Func<Task<Done>>)>? known) ? [.. known] : [];
        if (tasks.Length == 0)
            return;
        _log.Debug("Shutdown phase [{0}] with [{1}] tasks", phase.Name, tasks.Length);
        Task all = Task.WhenAll(tasks.Select(task => RunTask(phase, task.Name, task.Run)));
        try
        {
            await all.WaitAsync(phase.Timeout, System.Settings.Clock).ConfigureAwait(false);
        }
        catch (TimeoutException) when (phase.Recover)
        {
            _log.Warning("Shutdown phase [{0}] did not end within [{1}]; going on", phase.Name, phase.Timeout);
        }
    }

    private async Task RunTask(ShutdownPhase phase, string name, Func<Task<Done>> run)
    {
        try
        {
            await run().ConfigureAwait(false);
        }
        catch (Exception e) when (phase.Recover)
        {
            _log.Warning("Task [{0}] of shutdown phase [{1}] failed: {2}", name, phase.Name, e.Message);
        }
    }

    /// <summary>Why a system ends.</summary>
    public class Reason
    {
        protected Reason()
        {
        }
    }

    public class UnknownReason : Reason
    {
        public static readonly Reason Instance = new UnknownReason();

        private UnknownReason()
        {
        }
    }

    public class ActorSystemTerminateReason : Reason
    {
        public static readonly Reason Instance = new ActorSystemTerminateReason();

        private ActorSystemTerminateReason()
        {
        }
    }

    public class ClrExitReason : Reason
    {
        public static readonly Reason Instance = new ClrExitReason();

        private ClrExitReason()
        {
        }
    }

    public class ClusterDowningReason : Reason
    {
        public static readonly Reason Instance = new ClusterDowningReason();

        private ClusterDowningReason()
        {
        }
    }

    public class ClusterLeavingReason : Reason
    {
        public static readonly Reason Instance = new ClusterLeavingReason();

        private ClusterLeavingReason()
        {
        }
    }

    public class ClusterJoinUnsuccessfulReason : Reason
    {
        public static readonly Reason Instance = new ClusterJoinUnsuccessfulReason();

        private ClusterJoinUnsuccessfulReason()
        {
        }
    }
}

public sealed class CoordinatedShutdownExtension : ExtensionIdProvider<CoordinatedShutdown>
{
    public override CoordinatedShutdown CreateExtension(ExtendedActorSystem system)
    {
        var shutdown = new CoordinatedShutdown(system);
        if (system.Settings.CoordinatedShutdownTerminateActorSystem)
        {
            shutdown.AddTask(CoordinatedShutdown.PhaseActorSystemTerminate, "terminate-system", async () =>
            {
                await ((ActorSystemImpl)system).FinalTerminate().ConfigureAwait(false);
                return Done.Instance;
            });
        }

        return shutdown;
    }
}
