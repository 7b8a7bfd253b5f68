using System.Collections.Immutable;
using Akka.Actor;
using Akka.Configuration;
using Akka.Util.Internal;

namespace Akka.Cluster;

/// <summary>Section <c>akka.cluster</c>; what each means stands there.</summary>
public sealed class ClusterSettings
{
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
        MinNrOfMembers = cluster.GetInt("min-nr-of-members");
        AllowWeaklyUpMembers = cluster.GetString("allow-weakly-up-members", "on") is not ("off" or "false" or "no");
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

    public bool AllowWeaklyUpMembers { get; }

    public bool RunCoordinatedShutdownWhenDown { get; }

    public Type DowningProviderType { get; }

    internal string SystemName { get; }

    internal TimeSpan AcceptablePause => FailureDetectorConfig.GetTimeSpan("acceptable-heartbeat-pause");
}
