using System.Net;

namespace AgentMesh.Transport;

/// <summary>What a path is for, as far as the connection knows.</summary>
public enum MeshPathRole : byte
{
    /// <summary>Packets take it.</summary>
    InUse = 0,

    /// <summary>Packets take it, and it is not sure to work: nothing is acknowledged, or the other device is heard from elsewhere.</summary>
    InDoubt = 1,

    /// <summary>It has answered, and is taken when the one in use fails or turns out to be worse.</summary>
    Backup = 2,

    /// <summary>Nothing has answered there yet.</summary>
    Untried = 3,

    /// <summary>It was left because it fell silent.</summary>
    Failed = 4,
}

/// <summary>One of the ways to the other device of a connection.</summary>
/// <param name="Info">Loss and payload of a path that is not in use are not known.</param>
public sealed record MeshPathState(MeshPathInfo Info, MeshPathRole Role)
{
    /// <summary>The greatest datagram that it is known to carry, without the headers of UDP and IP; null before packets have taken it.</summary>
    public int? DatagramBytes { get; init; }

    /// <summary>For how long packets take it; null where they do not.</summary>
    public TimeSpan? InUseFor { get; init; }

    /// <summary>How long ago it was last known to work; null where it never was.</summary>
    public TimeSpan? AnsweredAgo { get; init; }

    /// <summary>How often it fell silent while it was in use.</summary>
    public int Failures { get; init; }

    /// <summary>Whether queues on the way may mark packets of this device instead of dropping them (ECN): on, off or testing; null where packets do not take it.</summary>
    public string? Ecn { get; init; }

    /// <summary>Packets of this device that were marked, and packets of the other one that arrived marked, since the connection began; null where packets do not take it.</summary>
    public (ulong Sent, ulong Received)? Marked { get; init; }

    /// <summary>
    /// After so much silence the other device is asked whether it is there; sooner than the setting says where the NAT takes ports back sooner. A direct path with a relay beside
    /// it is left alone after half a minute without use all the same. Null where packets do not take it, or nothing is asked.
    /// </summary>
    public TimeSpan? KeepAlive { get; init; }

    /// <summary>A port that the NAT before this device had given it was lost after so much silence, the shortest that was seen; null where none was, or packets do not take it.</summary>
    public TimeSpan? PortSilence { get; init; }

    /// <summary>Ports that the NAT before this device gives it are lost at this age, whatever is sent; null where that was not seen twice, or packets do not take it.</summary>
    public TimeSpan? PortAge { get; init; }

    /// <summary>What packets are sent to: an address, or what stands for a relay's channel.</summary>
    internal IPEndPoint? Target { get; init; }
}
