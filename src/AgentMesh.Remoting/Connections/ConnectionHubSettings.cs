namespace AgentMesh.Remoting;

/// <summary>Limits of a <see cref="ConnectionHub"/>.</summary>
public sealed record ConnectionHubSettings
{
    /// <summary>How long one dial may take before the device counts as unreachable.</summary>
    public TimeSpan DialTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>After a failed dial, how long further requests fail at once; doubles with each failure.</summary>
    public TimeSpan BackoffMin { get; init; } = TimeSpan.FromMilliseconds(200);

    public TimeSpan BackoffMax { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long the remote side may take to send the service header of a stream it opened.</summary>
    public TimeSpan HeaderTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Streams of one connection whose header or handler is not finished; more are refused.</summary>
    public int StreamsPerConnectionMax { get; init; } = 512;

    /// <summary>Failed devices that are remembered; beyond it the oldest entry that has run out is forgotten.</summary>
    public int RememberedFailuresMax { get; init; } = 4096;
}
