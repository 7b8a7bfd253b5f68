namespace AgentMesh.Protocol.Recovery;

/// <summary>
/// How much later than those sent after it a packet may arrive before it counts as lost. On a path that keeps the order of packets an eighth of a round trip (RFC 9002, section 6.1.2). On one that was seen not to
/// (RFC 8985, section 6.2, step 4) a quarter of the least round trip, and a quarter more for each round trip in which packets that had been called lost turned out to be late, up to a round trip. After
/// <see cref="RecoveriesMax"/> recoveries without any it is a quarter again.
/// </summary>
internal sealed class ReorderingWindow
{
    /// <summary>RFC 8985, RACK.reo_wnd_persist.</summary>
    public const int RecoveriesMax = 16;

    private int _quarters = 1;
    private int _recoveriesLeft;
    private ulong? _roundEnd;
    private ulong? _recoveryEnd;
    private bool _hasLate;

    /// <summary>The path was seen to deliver packets in another order: that later ones arrived says nothing any more, only time does.</summary>
    public bool IsReordering { get; private set; }

    public TimeSpan Time(RttEstimator rtt)
    {
        if (!IsReordering)
        {
            return (rtt.Smoothed > rtt.Latest ? rtt.Smoothed : rtt.Latest) / 8;
        }

        TimeSpan window = _quarters * (rtt.HasSample ? rtt.Minimum : rtt.Smoothed) / 4;
        return window < rtt.Smoothed ? window : rtt.Smoothed;
    }

    /// <summary>A packet was acknowledged for the first time, after another one with a greater number.</summary>
    /// <param name="wasCalledLost">And was repeated in vain.</param>
    public void ArrivedBehind(bool wasCalledLost)
    {
        IsReordering = true;
        _hasLate |= wasCalledLost;
    }

    /// <summary>Packets were called lost.</summary>
    /// <param name="next">The number that the next packet gets: when it is acknowledged, the recovery is over.</param>
    public void Lost(ulong next) => _recoveryEnd ??= next;

    /// <summary>After all packets of an ACK frame.</summary>
    /// <param name="largest">The greatest number that it acknowledged.</param>
    /// <param name="next">The number that the next packet gets.</param>
    public void AckDone(ulong largest, ulong next, RttEstimator rtt)
    {
        _roundEnd = largest >= _roundEnd ? null : _roundEnd;
        bool isRecovered = largest >= _recoveryEnd;
        _recoveryEnd = isRecovered ? null : _recoveryEnd;
        if (_hasLate && _roundEnd is null)
        {
            _roundEnd = next;
            _quarters += Time(rtt) < rtt.Smoothed ? 1 : 0;
            _recoveriesLeft = RecoveriesMax;
        }
        else if (isRecovered && --_recoveriesLeft <= 0)
        {
            _quarters = 1;
            _recoveriesLeft = 0;
        }

        _hasLate = false;
    }
}
