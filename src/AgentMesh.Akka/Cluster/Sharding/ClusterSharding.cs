using System.Collections.Concurrent;
using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster.Sharding.Coordination;
using Akka.Cluster.Sharding.Regions;
using Akka.Configuration;

namespace Akka.Cluster.Sharding;

/// <summary>
/// Entities spread over the members of a cluster, each alive once and reached by its id: send to the region of the type. Remembered entities
/// are not supported; what must be awake after a restart is sent a message.
/// </summary>
public class ClusterSharding : IExtension
{
    private readonly ExtendedActorSystem _system;
    private readonly Cluster _cluster;
    private readonly ConcurrentDictionary<string, Lazy<IActorRef>> _regions = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Lazy<IActorRef>> _proxies = new(StringComparer.Ordinal);

    public ClusterSharding(ExtendedActorSystem system)
    {
        _system = system;
        _cluster = Cluster.Get(system);
        Settings = ClusterShardingSettings.Create(system);
        CoordinatedShutdown.Get(system).AddTask(CoordinatedShutdown.PhaseClusterShardingShutdownRegion, "stop-shard-regions", StopRegions);
    }

    public ClusterShardingSettings Settings { get; }

    /// <summary>The types that were started here, proxies not counted.</summary>
    public ImmutableHashSet<string> ShardTypeNames => [.. _regions.Keys];

    public static ClusterSharding Get(ActorSystem system) => system.WithExtension<ClusterSharding, ClusterShardingExtensionProvider>();

    public static Config DefaultConfig() => ConfigurationFactory.Default().GetConfig("akka.cluster.sharding");

    /// <summary>Starts the region of a type on this member. A second call for the type returns the first region.</summary>
    /// <param name="handOffStopMessage">Sent to entities that must stop; <see cref="PoisonPill"/> unless given.</param>
    /// <returns>The region; a proxy where this member does not have the role of the settings.</returns>
    /// <exception cref="ArgumentException">The settings ask for remembered entities.</exception>
    public IActorRef Start(string typeName, Func<string, Props> entityPropsFactory, ClusterShardingSettings settings, IMessageExtractor messageExtractor, IShardAllocationStrategy allocationStrategy, object handOffStopMessage)
    {
        if (settings.RememberEntities)
            throw new ArgumentException("Remembered entities are not supported; send a message to what must be awake", nameof(settings));
        if (settings.Role is { } role && !_cluster.SelfRoles.Contains(role))
            return StartProxy(typeName, role, messageExtractor);
        return _regions.GetOrAdd(typeName, _ => new Lazy<IActorRef>(() => StartRegion(typeName, entityPropsFactory, settings, messageExtractor, allocationStrategy, handOffStopMessage))).Value;
    }

    public IActorRef Start(string typeName, Func<string, Props> entityPropsFactory, ClusterShardingSettings settings, IMessageExtractor messageExtractor) =>
        Start(typeName, entityPropsFactory, settings, messageExtractor, DefaultShardAllocationStrategy(settings), PoisonPill.Instance);

    public IActorRef Start(string typeName, Props entityProps, ClusterShardingSettings settings, IMessageExtractor messageExtractor) =>
        Start(typeName, _ => entityProps, settings, messageExtractor);

    public IActorRef Start(string typeName, Props entityProps, ClusterShardingSettings settings, IMessageExtractor messageExtractor, IShardAllocationStrategy allocationStrategy, object handOffStopMessage) =>
        Start(typeName, _ => entityProps, settings, messageExtractor, allocationStrategy, handOffStopMessage);

    public IActorRef Start(string typeName, Props entityProps, ClusterShardingSettings settings, ExtractEntityId extractEntityId, ExtractShardId extractShardId) =>
        Start(typeName, _ => entityProps, settings, new DelegateExtractor(extractEntityId, extractShardId));

    public IActorRef Start(string typeName, Func<string, Props> entityPropsFactory, ClusterShardingSettings settings, ExtractEntityId extractEntityId, ExtractShardId extractShardId) =>
        Start(typeName, entityPropsFactory, settings, new DelegateExtractor(extractEntityId, extractShardId));

    public Task<IActorRef> StartAsync(string typeName, Func<string, Props> entityPropsFactory, ClusterShardingSettings settings, IMessageExtractor messageExtractor, IShardAllocationStrategy allocationStrategy, object handOffStopMessage) =>
        Task.Run(() => Start(typeName, entityPropsFactory, settings, messageExtractor, allocationStrategy, handOffStopMessage));

    public Task<IActorRef> StartAsync(string typeName, Func<string, Props> entityPropsFactory, ClusterShardingSettings settings, IMessageExtractor messageExtractor) =>
        Task.Run(() => Start(typeName, entityPropsFactory, settings, messageExtractor));

    public Task<IActorRef> StartAsync(string typeName, Props entityProps, ClusterShardingSettings settings, IMessageExtractor messageExtractor) =>
        Task.Run(() => Start(typeName, entityProps, settings, messageExtractor));

    /// <summary>Starts the way to entities that only members with the role host.</summary>
    public IActorRef StartProxy(string typeName, string role, IMessageExtractor messageExtractor) =>
        _proxies.GetOrAdd(typeName, _ => new Lazy<IActorRef>(() => StartProxyRegion(typeName, role, messageExtractor))).Value;

    public IActorRef StartProxy(string typeName, string role, ExtractEntityId extractEntityId, ExtractShardId extractShardId) =>
        StartProxy(typeName, role, new DelegateExtractor(extractEntityId, extractShardId));

    public Task<IActorRef> StartProxyAsync(string typeName, string role, IMessageExtractor messageExtractor) =>
        Task.Run(() => StartProxy(typeName, role, messageExtractor));

    /// <exception cref="ArgumentException">The type was not started here.</exception>
    public IActorRef ShardRegion(string typeName) => _regions.TryGetValue(typeName, out Lazy<IActorRef>? region) || _proxies.TryGetValue(typeName, out region)
        ? region.Value
        : throw new ArgumentException($"The shard type [{typeName}] must be started first", nameof(typeName));

    /// <exception cref="ArgumentException">No proxy of the type was started here.</exception>
    public IActorRef ShardRegionProxy(string typeName) => _proxies.TryGetValue(typeName, out Lazy<IActorRef>? proxy)
        ? proxy.Value
        : throw new ArgumentException($"A proxy of the shard type [{typeName}] must be started first", nameof(typeName));

    public IShardAllocationStrategy DefaultShardAllocationStrategy(ClusterShardingSettings settings) =>
        ShardAllocationStrategy.LeastShardAllocationStrategy(settings.TuningParameters.LeastShardAllocationAbsoluteLimit, settings.TuningParameters.LeastShardAllocationRelativeLimit);

    private static string NameOf(string typeName) => "sharding-" + Uri.EscapeDataString(typeName);

    private static string CoordinatorPath(string typeName) => $"/system/{NameOf(typeName)}-coordinator/{CoordinatorHost.CoordinatorName}";

    private IActorRef StartRegion(string typeName, Func<string, Props> entityProps, ClusterShardingSettings settings, IMessageExtractor extractor, IShardAllocationStrategy strategy, object stopMessage)
    {
        string? role = settings.Role;
        Props coordinator = Props.Create(() => new Coordinator(role, settings.TuningParameters, strategy));
        _system.SystemActorOf(Props.Create(() => new CoordinatorHost(role, coordinator)), NameOf(typeName) + "-coordinator");
        var region = new RegionSettings(typeName, role, CoordinatorPath(typeName), extractor, entityProps, stopMessage, settings.PassivateIdleEntityAfter, settings.TuningParameters, RetryMin(), ReportInterval(), settings.ShardRegionQueryTimeout);
        return _system.SystemActorOf(Props.Create(() => new Region(region)), NameOf(typeName));
    }

    private IActorRef StartProxyRegion(string typeName, string role, IMessageExtractor extractor)
    {
        var region = new RegionSettings(typeName, string.IsNullOrEmpty(role) ? null : role, CoordinatorPath(typeName), extractor, null, PoisonPill.Instance, TimeSpan.Zero, Settings.TuningParameters, RetryMin(), ReportInterval(), Settings.ShardRegionQueryTimeout);
        return _system.SystemActorOf(Props.Create(() => new Region(region)), NameOf(typeName) + "-proxy");
    }

    private TimeSpan ReportInterval() => _system.Settings.Config.GetTimeSpan("akka.cluster.sharding.report-interval", TimeSpan.FromSeconds(5));

    private TimeSpan RetryMin() => _system.Settings.Config.GetTimeSpan("akka.cluster.sharding.retry-min", TimeSpan.FromMilliseconds(100));

    /// <summary>Hands the shards to other members, as far as there are any.</summary>
    private async Task<Done> StopRegions()
    {
        // Alone there is nobody to hand anything to; the entities end with the system.
        bool others = _cluster.State.Members.Any(member => member.UniqueAddress != _cluster.SelfUniqueAddress && member.Status is MemberStatus.Up or MemberStatus.WeaklyUp);
        if (!others || _cluster.IsTerminated)
            return Done.Instance;
        await Task.WhenAll(_regions.Values.Select(region => region.Value.GracefulStop(Settings.TuningParameters.HandOffTimeout, GracefulShutdown.Instance))).ConfigureAwait(false);
        return Done.Instance;
    }
}

public sealed class ClusterShardingExtensionProvider : ExtensionIdProvider<ClusterSharding>
{
    public override ClusterSharding CreateExtension(ExtendedActorSystem system) => new(system);
}
