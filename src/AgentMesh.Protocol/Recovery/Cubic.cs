namespace AgentMesh.Protocol.Recovery;

/// <summary>CUBIC (RFC 9438) with slow start.</summary>
internal sealed class Cubic : ICongestionController
{
    // RFC 9438, section 4.6 and 5.1.
    private const double Beta = 0.7;
    private const double C = 0.4;

    // RFC 9002, section 7.2: ten datagrams, two at least.
    private const int InitialDatagrams = 10;
    private const int MinimumDatagrams = 2;

    // Growth in the Reno-friendly region, RFC 9438, section 4.3.
    private const double RenoAlpha = 3 * (1 - Beta) / (1 + Beta);

    // RFC 9002, section 7.7: a little faster than window / round trip, so that pacing is not what limits.
    private const double PacingGain = 1.25;
    private const double SlowStartPacingGain = 2;

    private int _datagram;
    private double _window;
    private double _threshold = double.MaxValue;
    private double _windowMax;
    private double _windowReno;
    private double _k;
    private TimeSpan? _epochStart;
    private TimeSpan? _recoveryStart;

    // Of the recovery at hand: packets that were called lost and have not arrived since, and what there was before it.
    private int _justLost;
    private int _suspected;
    private bool _isMarked;
    private double _windowBefore;
    private double _thresholdBefore;
    private double _windowMaxBefore;

    public Cubic(int datagramBytes)
    {
        _datagram = datagramBytes;
        _window = InitialDatagrams * datagramBytes;
    }

    public long Window => (long)_window;

    public bool IsProbing => IsInSlowStart;

    /// <summary>The window doubles with every round trip.</summary>
    public bool IsInSlowStart => _window < _threshold;

    private double Minimum => MinimumDatagrams * (double)_datagram;

    public void SetDatagramBytes(int bytes)
    {
        _datagram = bytes;
        _window = Math.Max(_window, Minimum);
    }

    public double PacingRate(RttEstimator rtt) => _window * (IsInSlowStart ? SlowStartPacingGain : PacingGain) / Math.Max(rtt.Smoothed.TotalSeconds, 1e-6);

    public void Sent(SentPacket packet, long bytesInFlight, TimeSpan now)
    {
    }

    public void RanDry(long bytesInFlight)
    {
    }

    /// <summary>Where all that was called lost was only late, the window was reduced for nothing (RFC 9438, section 4.9.2).</summary>
    public void ArrivedLate(SentPacket packet, TimeSpan now)
    {
        if (_suspected > 0 && --_suspected == 0 && !_isMarked)
        {
            _window = Math.Max(_window, _windowBefore);
            _threshold = _thresholdBefore;
            _windowMax = _windowMaxBefore;
            _epochStart = null;
            _recoveryStart = null;
        }
    }

    public void PacketLost(SentPacket packet, TimeSpan now) => _justLost++;

    public void AckDone(long bytesInFlight, TimeSpan now, RttEstimator rtt)
    {
    }

    public void Acked(SentPacket packet, TimeSpan now, RttEstimator rtt, bool isWindowUsed)
    {
        if (packet.SentAt <= _recoveryStart)
        {
            return;
        }

        if (!isWindowUsed)
        {
            _epochStart = null; // the time in which nothing was asked of the network does not count
            return;
        }

        if (IsInSlowStart)
        {
            _window += packet.Bytes;
            return;
        }

        if (_epochStart is null)
        {
            _epochStart = now;
            _windowReno = _window;
            _k = _windowMax > _window ? Math.Cbrt((_windowMax - _window) / _datagram / C) : 0;
            _windowMax = Math.Max(_windowMax, _window);
        }

        double t = (now - _epochStart.Value + rtt.Smoothed).TotalSeconds;
        double cubic = (C * Math.Pow(t - _k, 3) * _datagram) + _windowMax;
        double target = Math.Clamp(cubic, _window, 1.5 * _window);
        double share = packet.Bytes / _window;
        _windowReno += (_windowReno < _windowMax ? RenoAlpha : 1) * _datagram * share;
        _window = Math.Max(_window + ((target - _window) * share), _windowReno);
    }

    public void Lost(TimeSpan sentAt, TimeSpan now)
    {
        int lost = _justLost;
        _justLost = 0;
        if (sentAt <= _recoveryStart)
        {
            _suspected += lost;
            return;
        }

        _suspected = lost;
        _isMarked = false;
        Reduce(now);
    }

    /// <summary>A mark counts as a loss does (RFC 9002, section 7.1), but that nothing can turn out to be late.</summary>
    public void Marked(SentPacket newest, TimeSpan now)
    {
        _isMarked = true;
        if (newest.SentAt > (_recoveryStart ?? TimeSpan.MinValue))
        {
            _suspected = 0;
            Reduce(now);
        }
    }

    public void PersistentlyLost()
    {
        _window = Minimum;
        _epochStart = null;
        _recoveryStart = null;
        _suspected = 0;
    }

    private void Reduce(TimeSpan now)
    {
        (_windowBefore, _thresholdBefore, _windowMaxBefore) = (_window, _threshold, _windowMax);
        _recoveryStart = now;
        _epochStart = null;

        // Fast convergence, RFC 9438, section 4.7: a shrinking share is given up sooner.
        _windowMax = _window < _windowMax ? _window * (1 + Beta) / 2 : _window;
        _window = Math.Max(_window * Beta, Minimum);
        _threshold = _window;
    }
}
