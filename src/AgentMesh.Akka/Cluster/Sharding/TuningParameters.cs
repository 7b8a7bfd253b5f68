using Akka.Configuration;

namespace Akka.Cluster.Sharding;

/// <summary>Times and sizes of sharding; their meaning stands in the reference configuration.</summary>
public class TuningParameters
{
    public readonly TimeSpan CoordinatorFailureBackoff;
    public readonly TimeSpan RetryInterval;
    public readonly int BufferSize;
    public readonly TimeSpan HandOffTimeout;
    public readonly TimeSpan ShardStartTimeout;
    public readonly TimeSpan ShardFailureBackoff;
    public readonly TimeSpan EntityRestartBackoff;
    public readonly TimeSpan RebalanceInterval;
    public readonly int SnapshotAfter;
    public readonly int KeepNrOfBatches;
    public readonly int LeastShardAllocationRebalanceThreshold;
    public readonly int LeastShardAllocationMaxSimultaneousRebalance;
    public readonly TimeSpan WaitingForStateTimeout;
    public readonly TimeSpan UpdatingStateTimeout;
    public readonly string EntityRecoveryStrategy;
    public readonly TimeSpan EntityRecoveryConstantRateStrategyFrequency;
    public readonly int EntityRecoveryConstantRateStrategyNumberOfEntities;
    public readonly int CoordinatorStateWriteMajorityPlus;
    public readonly int CoordinatorStateReadMajorityPlus;
    public readonly int LeastShardAllocationAbsoluteLimit;
    public readonly double LeastShardAllocationRelativeLimit;

    public TuningParameters(
        TimeSpan coordinatorFailureBackoff,
        TimeSpan retryInterval,
        int bufferSize,
        TimeSpan handOffTimeout,
        TimeSpan shardStartTimeout,
        TimeSpan shardFailureBackoff,
        TimeSpan entityRestartBackoff,
        TimeSpan rebalanceInterval,
        int snapshotAfter,
        int keepNrOfBatches,
        int leastShardAllocationRebalanceThreshold,
        int leastShardAllocationMaxSimultaneousRebalance,
        TimeSpan waitingForStateTimeout,
        TimeSpan updatingStateTimeout,
        string entityRecoveryStrategy,
        TimeSpan entityRecoveryConstantRateStrategyFrequency,
        int entityRecoveryConstantRateStrategyNumberOfEntities,
        int coordinatorStateWriteMajorityPlus,
        int coordinatorStateReadMajorityPlus,
        int leastShardAllocationAbsoluteLimit,
        double leastShardAllocationRelativeLimit)
    {
        CoordinatorFailureBackoff = coordinatorFailureBackoff;
        RetryInterval = retryInterval;
        BufferSize = bufferSize;
        HandOffTimeout = handOffTimeout;
        ShardStartTimeout = shardStartTimeout;
        ShardFailureBackoff = shardFailureBackoff;
        EntityRestartBackoff = entityRestartBackoff;
        RebalanceInterval = rebalanceInterval;
        SnapshotAfter = snapshotAfter;
        KeepNrOfBatches = keepNrOfBatches;
        LeastShardAllocationRebalanceThreshold = leastShardAllocationRebalanceThreshold;
        LeastShardAllocationMaxSimultaneousRebalance = leastShardAllocationMaxSimultaneousRebalance;
        WaitingForStateTimeout = waitingForStateTimeout;
        UpdatingStateTimeout = updatingStateTimeout;
        EntityRecoveryStrategy = entityRecoveryStrategy;
        EntityRecoveryConstantRateStrategyFrequency = entityRecoveryConstantRateStrategyFrequency;
        EntityRecoveryConstantRateStrategyNumberOfEntities = entityRecoveryConstantRateStrategyNumberOfEntities;
        CoordinatorStateWriteMajorityPlus = coordinatorStateWriteMajorityPlus;
        CoordinatorStateReadMajorityPlus = coordinatorStateReadMajorityPlus;
        LeastShardAllocationAbsoluteLimit = leastShardAllocationAbsoluteLimit;
        LeastShardAllocationRelativeLimit = leastShardAllocationRelativeLimit;
    }

    internal static TuningParameters Create(Config config) => new(
        config.GetTimeSpan("coordinator-failure-backoff"),
        config.GetTimeSpan("retry-interval"),
        config.GetInt("buffer-size"),
        config.GetTimeSpan("handoff-timeout"),
        config.GetTimeSpan("shard-start-timeout"),
        config.GetTimeSpan("shard-failure-backoff"),
        config.GetTimeSpan("entity-restart-backoff"),
        config.GetTimeSpan("rebalance-interval"),
        config.GetInt("snapshot-after"),
        config.GetInt("keep-nr-of-batches"),
        config.GetInt("least-shard-allocation-strategy.rebalance-threshold"),
        config.GetInt("least-shard-allocation-strategy.max-simultaneous-rebalance"),
        config.GetTimeSpan("waiting-for-state-timeout"),
        config.GetTimeSpan("updating-state-timeout"),
        config.GetString("entity-recovery-strategy", "all")!,
        config.GetTimeSpan("entity-recovery-constant-rate-strategy.frequency"),
        config.GetInt("entity-recovery-constant-rate-strategy.number-of-entities"),
        config.GetInt("coordinator-state.write-majority-plus"),
        config.GetInt("coordinator-state.read-majority-plus"),
        config.GetInt("least-shard-allocation-strategy.rebalance-absolute-limit"),
        config.GetDouble("least-shard-allocation-strategy.rebalance-relative-limit"));
}
