namespace AgentMesh.Beacon.Client;

/// <summary>Timing of a device towards its beacons. Immutable.</summary>
public sealed record BeaconClientSettings
{
    /// <summary>Shortest mean wait between attempts to connect; waits grow with the absence of the beacon up to <see cref="RetryMax"/>.</summary>
    public TimeSpan RetryMin { get; init; } = TimeSpan.FromMilliseconds(250);

    public TimeSpan RetryMax { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>For an answer by UDP.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>While an attempt by UDP lasts, it knocks at least so often, so that a beacon that was restarted is found soon after; or each tenth of its absence, where that is more.</summary>
    public TimeSpan Knock { get; init; } = TimeSpan.FromMilliseconds(750);

    /// <summary>So long IPv4 may take before IPv6 is tried beside it, for a beacon that has both.</summary>
    public TimeSpan Ipv4HeadStart { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>So long UDP may take before the WebSocket is tried beside it.</summary>
    public TimeSpan HeadStart { get; init; } = TimeSpan.FromMilliseconds(400);

    /// <summary>For the WebSocket, TLS and proxy included, and the handshake over it.</summary>
    public TimeSpan WebSocketTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>While a WebSocket is in use, the waits before UDP is tried again; the last one repeats.</summary>
    public IReadOnlyList<TimeSpan> UdpAgain { get; init; } = [TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(15), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5)];

    /// <summary>So long the WebSocket stays open beside a path by UDP that was found later.</summary>
    public TimeSpan KeepWebSocket { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The proxy for WebSockets: empty for that of the environment (HTTPS_PROXY, NO_PROXY), "none", or http://[user:password@]host:port.</summary>
    public string Proxy { get; init; } = "";

    /// <summary>A beacon that acknowledges nothing for so long, and for five round trips, is given up and dialled again: it may have been restarted, and knows nothing of this device then.</summary>
    public TimeSpan SilenceMax { get; init; } = TimeSpan.FromSeconds(1.5);

    /// <summary>When it seems that the beacon has forgotten this device, so long it may take to prove the contrary.</summary>
    public TimeSpan DoubtTimeout { get; init; } = TimeSpan.FromSeconds(1);
}
