namespace AgentMesh.Protocol.Recovery;

/// <summary>How many bytes one path may have in flight. Owned by the path; not thread-safe.</summary>
internal interface ICongestionController
{
    /// <summary>Bytes.</summary>
    long Window { get; }

    /// <summary>The window still doubles with every round trip.</summary>
    bool IsInSlowStart { get; }

    /// <param name="isWindowUsed">False where the application had too little to send to fill the window: it does not grow then.</param>
    void Acked(int bytes, TimeSpan sentAt, TimeSpan now, RttEstimator rtt, bool isWindowUsed);

    /// <summary>Packets were lost, the newest of them sent at <paramref name="sentAt"/>. Counts once per round trip.</summary>
    void Lost(TimeSpan sentAt, TimeSpan now);

    /// <summary>Everything was lost for several probe timeouts (RFC 9002, section 7.6).</summary>
    void PersistentlyLost();

    /// <summary>The path leads through another network now: what was learned about the old one does not count.</summary>
    void Restart();

    /// <summary>The path carries datagrams of another size now.</summary>
    void SetDatagramBytes(int bytes);
}
