namespace AgentMesh.Protocol.Recovery;

/// <summary>
/// What may be in flight in the long run: known once a probe for more rate lost too much, and raised by later ones, slowly at first and then faster. Infinite as long as no probe failed.
/// </summary>
internal sealed class InflightCeiling
{
    /// <summary>Left free for others, so that they find their share.</summary>
    private const double Headroom = 0.15;

    // Between the seven tenths of CUBIC and the whole of the draft (ADR 0038).
    private const double Kept = 0.8;

    private const int SlopeMax = 30;

    private int _slope;
    private double _acked;
    private double _ackedPerStep = double.PositiveInfinity;

    public double Bytes { get; private set; } = double.PositiveInfinity;

    public bool IsSet => !double.IsInfinity(Bytes);

    public double WithHeadroom(double datagram) => IsSet ? Bytes - Math.Max(datagram, Headroom * Bytes) : Bytes;

    /// <summary>A probe lost too much with so many bytes in flight.</summary>
    /// <param name="bdp">What the path holds without a queue: less would leave it idle.</param>
    public void ProbeFailed(double inFlight, double bdp) => Bytes = Math.Max(inFlight * Kept, Math.Min(bdp, inFlight));

    /// <summary>So much in flight did no harm, or more than was thought.</summary>
    public void Held(double inFlight) => Bytes = IsSet ? Math.Max(Bytes, inFlight) : Bytes;

    public void Set(double bytes) => Bytes = bytes;

    public void Undo(double before) => Bytes = Math.Max(Bytes, before);

    public void BeginRefill()
    {
        _slope = 0;
        _acked = 0;
    }

    public void StopRaising() => _ackedPerStep = double.PositiveInfinity;

    /// <summary>Twice as fast as in the round before.</summary>
    public void Steepen(double window, double datagram)
    {
        _ackedPerStep = Math.Max(window / (1L << _slope), datagram);
        _slope = Math.Min(_slope + 1, SlopeMax);
    }

    public void Raise(long newlyAcked, double datagram)
    {
        _acked += newlyAcked;
        if (_acked >= _ackedPerStep)
        {
            double steps = Math.Floor(_acked / _ackedPerStep);
            _acked -= steps * _ackedPerStep;
            Bytes += steps * datagram;
        }
    }
}
