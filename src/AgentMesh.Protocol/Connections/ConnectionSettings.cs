using AgentMesh.Errors;
using AgentMesh.Protocol.Recovery;

namespace AgentMesh.Protocol.Connections;

/// <summary>Limits and timing of connections. Immutable.</summary>
public sealed record ConnectionSettings
{
    /// <summary>Something is sent after so much silence while streams are open, so that a dead peer is noticed and mappings stay. Zero sends nothing.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// What was sent and needs an answer waits so long for one; then the connection ends. A peer that died while nothing was said is noticed after
    /// <see cref="KeepAlive"/> and this.
    /// </summary>
    public TimeSpan PeerTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A connection without any open stream ends after so much silence. Zero never ends one.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Packets are acknowledged after this time at the latest. At most 255 ms.</summary>
    public TimeSpan AckDelayMax { get; init; } = TimeSpan.FromMilliseconds(4);

    /// <summary>Streams of one class that the other side may have open at one time.</summary>
    public int StreamsPerClassMax { get; init; } = 1024;

    /// <summary>Bytes that a stream may be ahead of its reader at first, and when the network turns out to be fast.</summary>
    public int StreamWindow { get; init; } = 256 * 1024;

    public int StreamWindowMax { get; init; } = 8 * 1024 * 1024;

    /// <summary>The same for all streams of one class together.</summary>
    public int ClassWindow { get; init; } = 1024 * 1024;

    public int ClassWindowMax { get; init; } = 24 * 1024 * 1024;

    /// <summary>Bytes that the other side may send in a class before it is told of more: <see cref="ClassWindow"/>, or less for a device that limits what it receives in a second.</summary>
    public int ClassCredit
    {
        get => Math.Min(field, ClassWindow);
        init;
    } = int.MaxValue;

    /// <summary>Bytes that a stream holds for its writer: at least this much, at most the second, in between twice the congestion window.</summary>
    public int SendBuffer { get; init; } = 256 * 1024;

    public int SendBufferMax { get; init; } = 8 * 1024 * 1024;

    /// <summary>What decides how fast this side sends.</summary>
    public CongestionControl Congestion { get; init; } = CongestionControl.Bbr;

    /// <summary>
    /// Queues on the way may mark packets instead of dropping them (ECN, RFC 3168), where the path and the other side keep such marks. Without effect where the marks of a
    /// datagram cannot be set or read.
    /// </summary>
    public bool Ecn { get; init; } = true;

    /// <summary>
    /// A side that has much in flight asks for some acknowledgements in each round trip, instead of one for every ten packets, and this side does as it is asked, while nothing is lost. Without
    /// effect where the other side does not know it.
    /// </summary>
    public bool AckThinning { get; init; } = true;

    /// <summary>Greatest datagram that this side takes.</summary>
    public int DatagramBytesMax { get; init; } = 65_507;

    internal void Check()
    {
        Invariant.Check(AckDelayMax > TimeSpan.Zero && AckDelayMax.TotalMilliseconds <= 255);
        Invariant.Check(StreamsPerClassMax is > 0 and <= ushort.MaxValue);
        Invariant.Check(StreamWindow > 0 && StreamWindow <= StreamWindowMax && ClassWindow > 0 && ClassWindow <= ClassWindowMax && ClassCredit > 0);
        Invariant.Check(SendBuffer > 0 && SendBuffer <= SendBufferMax);
        Invariant.Check(DatagramBytesMax is >= 1200 and <= 65_507);
    }
}
