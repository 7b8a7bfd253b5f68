namespace AgentMesh.Protocol.Recovery;

/// <summary>What was known when a packet was sent, so that its acknowledgement tells a rate.</summary>
/// <param name="Delivered">Bytes acknowledged by then.</param>
/// <param name="Lost">Bytes called lost by then.</param>
/// <param name="InFlight">Bytes in flight, the packet included.</param>
internal readonly record struct SendSnapshot(long Delivered, long Lost, long InFlight, TimeSpan DeliveredAt, TimeSpan FirstSentAt, bool IsAppLimited);

/// <summary>What one ACK frame shows.</summary>
/// <param name="BytesPerSecond">0: it shows no rate.</param>
/// <param name="Delivered">Bytes acknowledged since the newest acknowledged packet was sent.</param>
/// <param name="PriorDelivered">And until then.</param>
/// <param name="NewlyAcked">Bytes that the frame itself acknowledged.</param>
/// <param name="InFlight">Bytes in flight when that packet was sent.</param>
/// <param name="Lost">Bytes called lost since then.</param>
/// <param name="IsAppLimited">The application sent less than it might have: the path may carry more.</param>
/// <param name="RoundTrip">Of the newest packet.</param>
internal readonly record struct RateSample(
    double BytesPerSecond, long Delivered, long PriorDelivered, long NewlyAcked, long InFlight, long Lost, bool IsAppLimited, TimeSpan RoundTrip);

/// <summary>
/// Measures how fast a path delivers (draft-ietf-ccwg-bbr, "Delivery Rate Samples"): bytes acknowledged between the sending of a packet and its acknowledgement, over
/// that time or the time in which they were sent, whichever is longer.
/// </summary>
internal sealed class DeliveryRate
{
    private TimeSpan _deliveredAt;
    private TimeSpan _firstSentAt;
    private long _appLimitedUntil;
    private SendSnapshot _newest;
    private ulong? _newestNumber;
    private TimeSpan _newestSentAt;
    private long _newlyAcked;

    /// <summary>Bytes acknowledged, and called lost, since the beginning.</summary>
    public long Delivered { get; private set; }

    public long Lost { get; private set; }

    public bool IsAppLimited => _appLimitedUntil > 0;

    public void Sent(SentPacket packet, long bytesInFlight, TimeSpan now)
    {
        if (bytesInFlight <= packet.Bytes)
        {
            _firstSentAt = _deliveredAt = now;
        }

        packet.Snapshot = new SendSnapshot(Delivered, Lost, bytesInFlight, _deliveredAt, _firstSentAt, IsAppLimited);
    }

    /// <summary>Marks what is in flight, and what follows until it is acknowledged, as no measure of the path.</summary>
    public void RanDry(long bytesInFlight) => _appLimitedUntil = Math.Max(1, Delivered + bytesInFlight);

    public void Acked(SentPacket packet, TimeSpan now)
    {
        Delivered += packet.Bytes;
        _newlyAcked += packet.Bytes;
        _deliveredAt = now;
        if (_newestNumber is not { } newest || packet.Number > newest)
        {
            _newestNumber = packet.Number;
            _newest = packet.Snapshot;
            _newestSentAt = packet.SentAt;
            _firstSentAt = packet.SentAt;
        }
    }

    public void PacketLost(SentPacket packet) => Lost += packet.Bytes;

    /// <summary>After all packets of an ACK frame. False when nothing was new.</summary>
    public bool TryTake(TimeSpan now, TimeSpan roundTripMin, out RateSample sample)
    {
        if (_appLimitedUntil > 0 && Delivered > _appLimitedUntil)
        {
            _appLimitedUntil = 0;
        }

        sample = default;
        long acked = _newlyAcked;
        bool any = _newestNumber is not null;
        _newlyAcked = 0;
        _newestNumber = null;
        if (!any)
        {
            return false;
        }

        TimeSpan sending = _newestSentAt - _newest.FirstSentAt, arriving = _deliveredAt - _newest.DeliveredAt;
        TimeSpan interval = sending > arriving ? sending : arriving;
        long delivered = Delivered - _newest.Delivered;

        // Less than a round trip is no time to measure in (spurious repetitions).
        double rate = interval < roundTripMin || interval <= TimeSpan.Zero ? 0 : delivered / interval.TotalSeconds;
        sample = new RateSample(rate, delivered, _newest.Delivered, acked, _newest.InFlight, Lost - _newest.Lost, _newest.IsAppLimited, now - _newestSentAt);
        return true;
    }
}
