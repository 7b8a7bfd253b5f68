namespace AgentMesh.Beacon.Client;

/// <summary>Timing of a device towards its beacons. Immutable.</summary>
public sealed record BeaconClientSettings
{
    /// <summary>Wait before the second attempt to connect; it doubles up to <see cref="RetryMax"/>, each up to a quarter longer or shorter at random.</summary>
    public TimeSpan RetryMin { get; init; } = TimeSpan.FromMilliseconds(250);

    public TimeSpan RetryMax { get; init; } = TimeSpan.FromSeconds(5);

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>When it seems that the beacon has forgotten this device, so long it may take to prove the contrary.</summary>
    public TimeSpan DoubtTimeout { get; init; } = TimeSpan.FromSeconds(1);
}
