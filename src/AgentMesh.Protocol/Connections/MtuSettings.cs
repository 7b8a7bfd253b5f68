namespace AgentMesh.Protocol.Connections;

/// <summary>How long datagrams may be, UDP payload in bytes, and how the greatest that a path carries is searched for. Immutable.</summary>
public sealed record MtuSettings
{
    /// <summary>What is sent where not even <see cref="Base"/> arrives: fits networks whose packets end at 576 bytes, whatever is around them.</summary>
    public const int Floor = 512;

    /// <summary>What nearly every network carries, and what a connection begins with.</summary>
    public const int Base = 1200;

    /// <summary>Greatest datagram that is tried; see wire-v1, "Size of datagrams", for those between.</summary>
    public const int SearchMax = 16_376;

    /// <summary>A connection begins with this.</summary>
    public int Start { get; init; } = Base;

    /// <summary>Nothing longer is tried.</summary>
    public int Max { get; init; } = SearchMax;

    /// <summary>A search that ended is made again after this time: paths change without a word.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>No search: <paramref name="bytes"/> are known to pass.</summary>
    public static MtuSettings Fixed(int bytes) => new() { Start = bytes, Max = bytes };
}
