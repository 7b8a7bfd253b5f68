namespace AgentMesh.Protocol.Stun.Turn;

/// <summary>Bounds and times of a <see cref="TurnAllocation"/>. Immutable.</summary>
public sealed record TurnSettings
{
    /// <summary>Asked of the server, which may give another: how long the allocation outlives this device.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Between two refreshes. Shorter than NATs keep a mapping that is not used, and soon enough to notice that the server was started anew.</summary>
    public TimeSpan RefreshEvery { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>A stream carries the messages: requests are sent once, and a server elsewhere is not followed.</summary>
    public bool IsReliable { get; init; }

    /// <summary>IP addresses that may be let through at a time.</summary>
    public int PermissionsMax { get; init; } = 128;

    /// <summary>Peers that may have a channel at a time; others get longer messages.</summary>
    public int ChannelsMax { get; init; } = 64;
}
