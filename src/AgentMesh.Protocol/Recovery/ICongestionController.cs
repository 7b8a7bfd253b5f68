namespace AgentMesh.Protocol.Recovery;

/// <summary>How many bytes one path may have in flight and how fast they go out. Owned by the path; not thread-safe.</summary>
internal interface ICongestionController
{
    /// <summary>Bytes.</summary>
    long Window { get; }

    /// <summary>What the path carries is being found out, from when the acknowledgements come: each of them counts.</summary>
    bool IsProbing { get; }

    /// <summary>Bytes in a second that go out at most, over anything longer than the burst of the <see cref="Pacer"/>.</summary>
    double PacingRate(RttEstimator rtt);

    /// <summary>A packet that counts as in flight was sent.</summary>
    /// <param name="bytesInFlight">With this packet.</param>
    void Sent(SentPacket packet, long bytesInFlight, TimeSpan now);

    /// <summary>Nothing is there to be sent although window and pacing allow it.</summary>
    void RanDry(long bytesInFlight);

    /// <summary>One of the packets that an ACK frame acknowledged; <see cref="AckDone"/> follows.</summary>
    /// <param name="isWindowUsed">False where the application had too little to send to fill the window: it does not grow then.</param>
    void Acked(SentPacket packet, TimeSpan now, RttEstimator rtt, bool isWindowUsed);

    /// <summary>A packet that was called lost was acknowledged after all.</summary>
    void ArrivedLate(SentPacket packet, TimeSpan now);

    /// <summary>One of the packets that were just found lost; <see cref="Lost"/> follows.</summary>
    void PacketLost(SentPacket packet, TimeSpan now);

    /// <summary>Packets were lost, the newest of them sent at <paramref name="sentAt"/>. Counts once per round trip.</summary>
    void Lost(TimeSpan sentAt, TimeSpan now);

    /// <summary>Packets arrived marked by a queue that is too long, <paramref name="newest"/> among them or after them. Counts once per round trip; <see cref="AckDone"/> follows.</summary>
    void Marked(SentPacket newest, TimeSpan now);

    /// <summary>All that an ACK frame says was told, losses that it shows included.</summary>
    void AckDone(long bytesInFlight, TimeSpan now, RttEstimator rtt);

    /// <summary>Everything was lost for several probe timeouts (RFC 9002, section 7.6).</summary>
    void PersistentlyLost();

    /// <summary>The path carries datagrams of another size now.</summary>
    void SetDatagramBytes(int bytes);
}
