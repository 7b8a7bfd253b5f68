namespace AgentMesh.Mesh.Peers;

/// <summary>How it is said that a device is away.</summary>
public static class Absence
{
    /// <param name="lastSeen">Null where it was never seen.</param>
    public static string Of(string name, DateTimeOffset? lastSeen, DateTimeOffset now) => lastSeen is { } seen
        ? $"{name} is offline, last seen {Ago(now - seen)}"
        : $"{name} is offline, and was never seen from here";

    private static string Ago(TimeSpan age) => age switch
    {
        { TotalSeconds: < 100 } => $"{Math.Max(0, (int)age.TotalSeconds)} s ago",
        { TotalMinutes: < 100 } => $"{(int)age.TotalMinutes} min ago",
        { TotalHours: < 48 } => $"{(int)age.TotalHours} h ago",
        _ => $"{(int)age.TotalDays} days ago",
    };
}
