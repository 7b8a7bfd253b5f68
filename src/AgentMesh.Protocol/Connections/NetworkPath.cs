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

    private readonly MtuSettings _mtu;
    private readonly int _datagramBytesMax;
    private readonly CongestionControl _control;
    private ulong _seed;

    /// <param name="seed">Spreads what many paths would else do at one time.</param>
    public NetworkPath(PathId id, MtuSettings mtu, in TransportParameters remote, ConnectionSettings settings, ulong seed, IFrameFate fate)
    {
        Id = id;
        _mtu = mtu;
        _datagramBytesMax = Math.Min(mtu.Max, remote.DatagramBytesMax);
        _control = settings.Congestion;
        _seed = seed;
        Traffic = NewTraffic(roundTrip: null);
        Received = new ReceivedPackets(settings.AckDelayMax) { TellsMarks = (remote.Takes & TransportParameters.TakesEcnCounts) != 0 };
        Ecn = new EcnSender(Traffic.Ecn);
        Loss = new LossDetector(Sent, Rtt, Congestion, fate, Traffic.Reordering, Mtu, Ecn);
    }

    public PathId Id { get; }

    /// <summary>Greatest datagram that is sent here, but for those that find out whether it could be greater.</summary>
    public int DatagramBytes => Mtu.Current;

    /// <summary>What was learned of the network on the way that packets take now.</summary>
    public PathTraffic Traffic { get; private set; }

    public MtuSearch Mtu => Traffic.Mtu;

    public RttEstimator Rtt => Traffic.Rtt;

    public ICongestionController Congestion => Traffic.Congestion;

    public Pacer Pacer { get; } = new();

    public SentPacketRing Sent { get; } = new();

    public LossDetector Loss { get; }

    public EcnSender Ecn { get; }

    public ReceivedPackets Received { get; }

    /// <summary>For a way that no packets have taken yet.</summary>
    /// <param name="roundTrip">As far as questions have measured it.</param>
    public PathTraffic NewTraffic(TimeSpan? roundTrip)
    {
        var rtt = new RttEstimator();
        if (roundTrip is { } sample)
        {
            rtt.Add(sample, TimeSpan.Zero);
        }

        int datagram = Math.Min(_mtu.Start, _datagramBytesMax);
        ICongestionController congestion = _control == CongestionControl.Bbr ? new Bbr(datagram, _seed++) : new Cubic(datagram);
        return new PathTraffic(rtt, congestion, new ReorderingWindow(), new MtuSearch(_mtu, _datagramBytesMax, congestion), new EcnPath());
    }

    /// <summary>Packets go to another address from now on.</summary>
    /// <param name="traffic">What is known of the way there; the same as before where only the port is another one.</param>
    public void Moved(PathTraffic traffic)
    {
        if (!ReferenceEquals(traffic, Traffic))
        {
            Traffic = traffic;
            Mtu.Resume();
            Loss.Use(Rtt, Congestion, Traffic.Reordering, Mtu);
            Ecn.Use(Traffic.Ecn, Sent.Next);
        }

        Loss.Moved();
        Received.Unthin();
    }

    public bool IsWindowOpen => Loss.BytesInFlight + DatagramBytes <= Window || Loss.PacketsInFlight == 0;

    private long Window => Rtt.Minimum < NearRoundTrip ? Math.Min(Congestion.Window, NearWindowMin + (long)(NearBytesPerSecond * Rtt.Minimum.TotalSeconds)) : Congestion.Window;

    /// <summary>More than half of the window is in use: that it is no greater is what holds the application back.</summary>
    public bool IsWindowUsed => Loss.BytesInFlight > Congestion.Window / 2;
}
