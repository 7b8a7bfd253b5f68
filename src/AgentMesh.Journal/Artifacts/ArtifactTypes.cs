namespace AgentMesh.Journal;

/// <summary>Settings of an <see cref="ArtifactStore"/>; defaults, units and dangers stand in <c>hocon/reference.conf</c> under <c>agentmesh.artifacts</c>.</summary>
/// <param name="Directory">Created when absent.</param>
/// <param name="BytesMax">Of all contents together.</param>
/// <param name="SizeMax">Of one content.</param>
/// <param name="RetainedFor">What is older goes; null for no limit.</param>
/// <param name="SafeFor">What is younger stays also when there is no room for more.</param>
public sealed record ArtifactStoreSettings(string Directory, long BytesMax, long SizeMax, TimeSpan? RetainedFor, TimeSpan SafeFor)
{
    /// <summary>Names that are kept; then the oldest go.</summary>
    public const int CountMax = 100_000;
}

/// <summary>A name for a content.</summary>
/// <param name="JobId">Empty for what a person put there.</param>
/// <param name="Attempt">The fencing token: a newer attempt replaces what an older one left.</param>
/// <param name="Hash">SHA-256, 64 hexadecimal digits in lower case.</param>
public sealed record StoredArtifact(string JobId, int Attempt, string Name, string Hash, long Size, DateTimeOffset At);
