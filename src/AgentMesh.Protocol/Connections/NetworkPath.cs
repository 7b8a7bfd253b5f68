using AgentMesh.Protocol.Packets;
using AgentMesh.Protocol.Recovery;

namespace AgentMesh.Protocol.Connections;

/// <summary>One way between two devices, with packet numbers, round-trip time, losses and window of its own.</summary>
internal sealed class NetworkPath
{
    // Between machines (or processes) this near, nothing is lost until socket buffers of megabytes are full, and a control message waits behind all that is in them.
    // The window holds what 12 Gb/s carry in the least round trip, and what both sides need to work without waiting for each other; more would only wait.
    private const long NearWindowMin = 384 * 1024;
    private const double NearBytesPerSecond = 1.5e9;
    private static readonly TimeSpan NearRoundTrip = TimeSpan.FromMilliseconds(1);

    public NetworkPath(PathId id, MtuSettings mtu, int datagramBytesMax, TimeSpan ackDelayMax, IFrameFate fate)
    {
        Id = id;
        int max = Math.Min(mtu.Max, datagramBytesMax);
        Congestion = new Cubic(Math.Min(mtu.Start, max));
        Mtu = new MtuSearch(mtu, max, Congestion);
        Received = new ReceivedPackets(ackDelayMax);
        Loss = new LossDetector(Sent, Rtt, Congestion, fate, Mtu);
    }

    public PathId Id { get; }

    /// <summary>Greatest datagram that is sent here, but for those that find out whether it could be greater.</summary>
    public int DatagramBytes => Mtu.Current;

    public MtuSearch Mtu { get; }

    public RttEstimator Rtt { get; } = new();

    public ICongestionController Congestion { get; }

    public Pacer Pacer { get; } = new();

    public SentPacketRing Sent { get; } = new();

    public LossDetector Loss { get; }

    public ReceivedPackets Received { get; }

    /// <summary>The other side is at another address.</summary>
    public void Moved(bool isOtherNetwork)
    {
        if (isOtherNetwork)
        {
            Rtt.Restart();
            Congestion.Restart();
            Mtu.Restart();
        }

        Loss.Moved();
    }

    public bool IsWindowOpen => Loss.BytesInFlight + DatagramBytes <= Window || Loss.PacketsInFlight == 0;

    private long Window => Rtt.Minimum < NearRoundTrip ? Math.Min(Congestion.Window, NearWindowMin + (long)(NearBytesPerSecond * Rtt.Minimum.TotalSeconds)) : Congestion.Window;

    /// <summary>More than half of the window is in use: that it is no greater is what holds the application back.</summary>
    public bool IsWindowUsed => Loss.BytesInFlight > Congestion.Window / 2;
}
