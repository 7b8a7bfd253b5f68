namespace AgentMesh.Journal;

/// <summary>Settings of an <see cref="IArtifactStore"/>; defaults, units and dangers stand in <c>hocon/reference.conf</c> under <c>agentmesh.artifacts</c> and <c>agentmesh.pool</c>.</summary>
/// <param name="Directory">Created when absent. The store of a pool keeps there only what comes without a hash, until it has one.</param>
/// <param name="BytesMax">Of all contents together.</param>
/// <param name="SizeMax">Of one content.</param>
/// <param name="RetainedFor">What is older goes; null for no limit.</param>
/// <param name="SafeFor">What is younger stays also when there is no room for more.</param>
public sealed record ArtifactStoreSettings(string Directory, long BytesMax, long SizeMax, TimeSpan? RetainedFor, TimeSpan SafeFor)
{
    /// <summary>Names that are kept; then the oldest go.</summary>
    public const int CountMax = 100_000;

    internal const string BytesSetting = "agentmesh.artifacts.retained-max";
    internal const string SizeSetting = "agentmesh.artifacts.size-max";
    internal const string PoolBytesSetting = "agentmesh.pool.artifacts-max";
    internal const string PoolSizeSetting = "agentmesh.pool.artifact-size-max";

    /// <summary>For errors: which setting bounds one content.</summary>
    internal string SizeSettingName { get; init; } = SizeSetting;
}

/// <summary>A name for a content.</summary>
/// <param name="JobId">Empty for what a person put there.</param>
/// <param name="Attempt">The fencing token: a newer attempt replaces what an older one left.</param>
/// <param name="Hash">SHA-256, 64 hexadecimal digits in lower case.</param>
public sealed record StoredArtifact(string JobId, int Attempt, string Name, string Hash, long Size, DateTimeOffset At);
