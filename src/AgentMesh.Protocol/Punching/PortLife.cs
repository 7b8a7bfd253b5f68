namespace AgentMesh.Protocol.Punching;

/// <summary>For how long a NAT keeps an outside port that neither side uses. Immutable.</summary>
/// <param name="Lives">After so much silence a port was still there; null where none was, or nothing is known.</param>
/// <param name="Dies">After so much silence a port was gone, the shortest above <paramref name="Lives"/>; null where none was yet.</param>
public sealed record PortLife(TimeSpan? Lives = null, TimeSpan? Dies = null)
{
    public static readonly PortLife Unknown = new();

    /// <summary>A port is not to be left alone for longer; null where nothing is known, or where every silence that is tried was too short to lose one.</summary>
    public TimeSpan? SilenceMax => Dies is null ? null : Lives ?? Dies / 2;
}
