using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster.Membership;
using Akka.Configuration;
using Akka.Util.Internal;

namespace Akka.Cluster;

/// <summary>Section <c>akka.cluster</c>; what each means stands there.</summary>
public sealed class ClusterSettings
{
    private const int RolesMax = 64;
    private const int RoleCharactersMax = 128;

    private static readonly TimeSpan DefaultWeaklyUpAfter = TimeSpan.FromSeconds(1);

    public ClusterSettings(Config config, string systemName)
    {
        Config cluster = config.GetConfig("akka.cluster");
        FailureDetectorConfig = cluster.GetConfig("failure-detector");
        FailureDetectorImplementationClass = FailureDetectorConfig.GetString("implementation-class");
        HeartbeatInterval = FailureDetectorConfig.GetTimeSpan("heartbeat-interval");
        HeartbeatExpectedResponseAfter = FailureDetectorConfig.GetTimeSpan("expected-response-after");
        MonitoredByNrOfMembers = FailureDetectorConfig.GetInt("monitored-by-nr-of-members");
        SeedNodes = [.. cluster.GetStringList("seed-nodes").Select(Address.Parse)];
        SeedNodeTimeout = cluster.GetTimeSpan("seed-node-timeout");
        GossipInterval = cluster.GetTimeSpan("gossip-interval");
        LeaderActionsInterval = cluster.GetTimeSpan("leader-actions-interval");
        Roles = [.. cluster.GetStringList("roles")];
        if (ObstacleInRoles(Roles) is { } obstacle)
            throw new ConfigurationException($"akka.cluster.roles: a member that {obstacle} may not join");
        MinNrOfMembers = cluster.GetInt("min-nr-of-members");
        MinNrOfMembersOfRole = MinimaOf(cluster.GetConfig("role"));
        RetryUnsuccessfulJoinAfter = OptionalTime(cluster, "retry-unsuccessful-join-after");
        ShutdownAfterUnsuccessfulJoinSeedNodes = OptionalTime(cluster, "shutdown-after-unsuccessful-join-seed-nodes");
        string weakly = cluster.GetString("allow-weakly-up-members", "on");
        AllowWeaklyUpMembers = weakly is not ("off" or "false" or "no");
        WeaklyUpAfter = !AllowWeaklyUpMembers || weakly is "on" or "true" or "yes" ? DefaultWeaklyUpAfter : cluster.GetTimeSpan("allow-weakly-up-members");
        LeavePatience = cluster.GetTimeSpan("leave-patience");
        AcceptablePause = FailureDetectorConfig.GetTimeSpan("acceptable-heartbeat-pause");
        RunCoordinatedShutdownWhenDown = cluster.GetBoolean("run-coordinated-shutdown-when-down");
        string downing = cluster.GetString("downing-provider-class", string.Empty);
        DowningProviderType = downing.Length == 0 ? typeof(NoDowning) : TypeResolver.Get(downing, "akka.cluster.downing-provider-class");
        SystemName = systemName;
    }

    public Config FailureDetectorConfig { get; }

    public string FailureDetectorImplementationClass { get; }

    public TimeSpan HeartbeatInterval { get; }

    public TimeSpan HeartbeatExpectedResponseAfter { get; }

    public int MonitoredByNrOfMembers { get; }

    public ImmutableList<Address> SeedNodes { get; }

    public TimeSpan SeedNodeTimeout { get; }

    public TimeSpan GossipInterval { get; }

    public TimeSpan LeaderActionsInterval { get; }

    public ImmutableHashSet<string> Roles { get; }

    public int MinNrOfMembers { get; }

    public ImmutableDictionary<string, int> MinNrOfMembersOfRole { get; }

    public bool AllowWeaklyUpMembers { get; }

    /// <summary>How long the leader waits for agreement before it lets members in weakly, when it does not know of an obstacle.</summary>
    public TimeSpan WeaklyUpAfter { get; }

    /// <summary>Null: asked once.</summary>
    public TimeSpan? RetryUnsuccessfulJoinAfter { get; }

    /// <summary>Null: asks for ever.</summary>
    public TimeSpan? ShutdownAfterUnsuccessfulJoinSeedNodes { get; }

    public bool RunCoordinatedShutdownWhenDown { get; }

    public Type DowningProviderType { get; }

    internal string SystemName { get; }

    internal TimeSpan AcceptablePause { get; }

    internal TimeSpan LeavePatience { get; }

    internal Quorum Quorum => new(MinNrOfMembers, MinNrOfMembersOfRole);

    /// <returns>Why a member may not have these roles; null when it may. They travel in every gossip.</returns>
    internal static string? ObstacleInRoles(ImmutableHashSet<string> roles) => roles.Count > RolesMax
        ? $"has {roles.Count} roles, more than {RolesMax}"
        : roles.Any(role => role.Length is 0 or > RoleCharactersMax) ? $"has a role that is empty or longer than {RoleCharactersMax} characters" : null;

    private static ImmutableDictionary<string, int> MinimaOf(Config? roles) => roles is null
        ? ImmutableDictionary<string, int>.Empty
        : roles.AsEnumerable()
            .Select(role => (role.Key, Minimum: (roles.GetConfig(role.Key) ?? Config.Empty).GetInt("min-nr-of-members", 0)))
            .Where(role => role.Minimum > 0)
            .ToImmutableDictionary(role => role.Key, role => role.Minimum, StringComparer.Ordinal);

    private static TimeSpan? OptionalTime(Config config, string path) => config.GetString(path, "off") is "off" or "false" or "no" ? null : config.GetTimeSpan(path);
}
