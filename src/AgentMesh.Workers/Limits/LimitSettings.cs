namespace AgentMesh.Workers.Limits;

/// <summary>So many in a row, and so many a minute from then on.</summary>
/// <param name="PerMinute">Above zero.</param>
/// <param name="Burst">At least 1.</param>
public sealed record RateLimit(double PerMinute, int Burst)
{
    /// <summary>From one to the next, when the burst is used up.</summary>
    public TimeSpan Interval => TimeSpan.FromMinutes(1) / PerMinute;
}

/// <summary>What this device takes from each of the others; not from itself.</summary>
/// <param name="PerPeer">Attempts of one device; null for no limit.</param>
/// <param name="Concurrent">Attempts of one device at the same time, further ones wait; null for no limit.</param>
/// <param name="PerCommand">Attempts of one command of one device, by the name of the handler; <c>run</c> for programs.</param>
public sealed record LimitSettings(RateLimit? PerPeer, int? Concurrent, IReadOnlyDictionary<string, RateLimit> PerCommand)
{
    public static LimitSettings None { get; } = new(null, null, new Dictionary<string, RateLimit>());
}
