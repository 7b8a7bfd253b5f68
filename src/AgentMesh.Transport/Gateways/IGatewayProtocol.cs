namespace AgentMesh.Transport.Gateways;

/// <summary>One protocol, spoken with one gateway about one port. Calls come one after the other. None throws for what the network or the gateway does.</summary>
internal interface IGatewayProtocol : IDisposable
{
    string Name { get; }

    /// <summary>Asks, without changing anything, whether the gateway speaks it.</summary>
    /// <returns>Null when it does and could map.</returns>
    ValueTask<GatewayFailure?> ProbeAsync(CancellationToken cancellationToken);

    /// <summary>Makes or renews the mapping.</summary>
    /// <param name="previous">Its external port is asked for again; null for a new mapping.</param>
    ValueTask<MapResult> MapAsync(GatewayMapping? previous, CancellationToken cancellationToken);

    ValueTask<MappingState> CheckAsync(GatewayMapping mapping, CancellationToken cancellationToken);

    ValueTask DeleteAsync(GatewayMapping mapping, CancellationToken cancellationToken);
}

/// <summary>Either a mapping or why there is none.</summary>
internal readonly record struct MapResult(GatewayMapping? Mapping, GatewayFailure Failure)
{
    public static MapResult Of(GatewayMapping mapping) => new(mapping, default);

    public static MapResult Failed(string protocol, string reason, bool wasAnswered) => new(null, new GatewayFailure(protocol, reason, wasAnswered));
}

internal enum MappingState
{
    Alive,

    /// <summary>The gateway forgot it.</summary>
    Lost,

    /// <summary>The gateway does not answer; the mapping may be there.</summary>
    Unknown,
}
