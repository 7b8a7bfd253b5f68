using Akka.Actor;
using Akka.Cluster.Tools.Singleton;
using Akka.Configuration;
using Akka.Coordination;

namespace Akka.Cluster.Sharding;

public enum StateStoreMode
{
    Persistence = 0,
    DData = 1,
    Custom = 2,
}

public enum RememberEntitiesStore
{
    DData = 0,
    Eventsourced = 1,
    Custom = 2,
}

/// <summary>How one type of entity is sharded. Immutable; defaults stand in the reference configuration.</summary>
public sealed class ClusterShardingSettings : INoSerializationVerificationNeeded
{
    /// <summary>Members with this role host entities; null for all.</summary>
    public readonly string? Role;
    public readonly bool RememberEntities;
    public readonly string JournalPluginId;
    public readonly string SnapshotPluginId;

    /// <summary>Zero for never.</summary>
    public readonly TimeSpan PassivateIdleEntityAfter;
    public readonly StateStoreMode StateStoreMode;
    public readonly RememberEntitiesStore RememberEntitiesStore;
    public readonly TimeSpan ShardRegionQueryTimeout;
    public readonly TuningParameters TuningParameters;
    public readonly ClusterSingletonManagerSettings CoordinatorSingletonSettings;
    public readonly LeaseUsageSettings? LeaseSettings;

    public ClusterShardingSettings(
        string? role,
        bool rememberEntities,
        string journalPluginId,
        string snapshotPluginId,
        TimeSpan passivateIdleEntityAfter,
        StateStoreMode stateStoreMode,
        RememberEntitiesStore rememberEntitiesStore,
        TimeSpan shardRegionQueryTimeout,
        TuningParameters tuningParameters,
        ClusterSingletonManagerSettings coordinatorSingletonSettings,
        LeaseUsageSettings? leaseSettings)
    {
        Role = role;
        RememberEntities = rememberEntities;
        JournalPluginId = journalPluginId;
        SnapshotPluginId = snapshotPluginId;
        PassivateIdleEntityAfter = passivateIdleEntityAfter;
        StateStoreMode = stateStoreMode;
        RememberEntitiesStore = rememberEntitiesStore;
        ShardRegionQueryTimeout = shardRegionQueryTimeout;
        TuningParameters = tuningParameters;
        CoordinatorSingletonSettings = coordinatorSingletonSettings;
        LeaseSettings = leaseSettings;
    }

    public static ClusterShardingSettings Create(ActorSystem system)
    {
        Config config = system.Settings.Config.GetConfig("akka.cluster.sharding") ?? throw ConfigurationException.NullOrEmptyConfig<ClusterShardingSettings>("akka.cluster.sharding");
        return Create(config, config.GetConfig("coordinator-singleton") ?? Config.Empty);
    }

    public static ClusterShardingSettings Create(Config config, Config singletonConfig)
    {
        string? role = config.GetString("role", "");
        string idle = config.GetString("passivate-idle-entity-after", "off")!;
        return new ClusterShardingSettings(
            role is { Length: > 0 } ? role : null,
            config.GetBoolean("remember-entities"),
            config.GetString("journal-plugin-id", "")!,
            config.GetString("snapshot-plugin-id", "")!,
            idle.Equals("off", StringComparison.OrdinalIgnoreCase) ? TimeSpan.Zero : config.GetTimeSpan("passivate-idle-entity-after"),
            Enum.TryParse(config.GetString("state-store-mode"), ignoreCase: true, out StateStoreMode mode) ? mode : StateStoreMode.DData,
            Enum.TryParse(config.GetString("remember-entities-store"), ignoreCase: true, out RememberEntitiesStore store) ? store : RememberEntitiesStore.DData,
            config.GetTimeSpan("shard-region-query-timeout", TimeSpan.FromSeconds(3)),
            TuningParameters.Create(config),
            ClusterSingletonManagerSettings.Create(singletonConfig),
            null);
    }

    public ClusterShardingSettings WithRole(string? role) => Copy(role: role ?? "");

    public ClusterShardingSettings WithRememberEntities(bool rememberEntities) => Copy(rememberEntities: rememberEntities);

    public ClusterShardingSettings WithPassivateIdleAfter(TimeSpan duration) => Copy(passivateIdleEntityAfter: duration);

    public ClusterShardingSettings WithStateStoreMode(StateStoreMode mode) => Copy(stateStoreMode: mode);

    public ClusterShardingSettings WithTuningParameters(TuningParameters tuningParameters) => Copy(tuningParameters: tuningParameters);

    private ClusterShardingSettings Copy(
        string? role = null, bool? rememberEntities = null, TimeSpan? passivateIdleEntityAfter = null, StateStoreMode? stateStoreMode = null, TuningParameters? tuningParameters = null) => new(
        role is null ? Role : role.Length == 0 ? null : role,
        rememberEntities ?? RememberEntities,
        JournalPluginId,
        SnapshotPluginId,
        passivateIdleEntityAfter ?? PassivateIdleEntityAfter,
        stateStoreMode ?? StateStoreMode,
        RememberEntitiesStore,
        ShardRegionQueryTimeout,
        tuningParameters ?? TuningParameters,
        CoordinatorSingletonSettings,
        LeaseSettings);
}
