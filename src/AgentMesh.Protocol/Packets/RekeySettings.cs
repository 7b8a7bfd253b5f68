namespace AgentMesh.Protocol.Packets;

/// <summary>When the keys of a session are renewed. Immutable.</summary>
public sealed record RekeySettings
{
    /// <summary>Fresh Diffie-Hellman after this time (<c>key-rotation-interval</c>).</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Keys older than this seal and open nothing. At least 1.5 x <see cref="Interval"/>, so that a renewal has time.</summary>
    public TimeSpan RejectAfter { get; init; } = TimeSpan.FromSeconds(180);

    /// <summary>Fresh Diffie-Hellman after this many packets sealed with one key: 2^23, the confidentiality limit of AES-GCM in RFC 9001, section 6.6.</summary>
    public ulong PacketsMax { get; init; } = 1UL << 23;

    /// <summary>No packet is sealed with a key after this many: twice <see cref="PacketsMax"/>.</summary>
    internal ulong PacketsHardMax => PacketsMax * 2;
}
