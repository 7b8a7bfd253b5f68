namespace Simulation.Reach.Loss;

/// <summary>
/// A model of TCP as others send it beside us: slow start and recovery of RFC 5681 and RFC 6675 with perfect SACK (a segment is lost when three later ones arrived, one
/// reduction for each window), the timer of RFC 6298, and the window of Reno (RFC 5681) or CUBIC (RFC 9438). Not paced: acknowledgements clock it. One is sent for
/// every other segment.
/// </summary>
internal sealed class TcpFlow(EventClock clock, bool isCubic, LossyLink forth, LossyLink back, TimeSpan roundTrip) : IFlow
{
    private const int SegmentBytes = 1200;
    private const int AckBytes = 40;
    private const int DuplicatesMax = 3;
    private const double CubicC = 0.4;
    private const double CubicBeta = 0.7;
    private static readonly TimeSpan TimeoutMin = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan DelayedAck = TimeSpan.FromMilliseconds(40);

    private readonly SortedDictionary<long, TimeSpan> _inFlight = [];
    private readonly List<long> _unacked = [];
    private long _next;
    private long _recover = -1;
    private double _window = 10;
    private double _threshold = double.MaxValue;
    private double _smoothed;
    private double _variation;
    private TimeSpan _progressAt;
    private int _timeouts;
    private double _windowMax;
    private double _windowReno;
    private double _k;
    private TimeSpan? _epoch;

    public long Delivered { get; private set; }

    public void Start()
    {
        _progressAt = clock.Now;
        Send();
        Watch();
    }

    private TimeSpan Timeout
    {
        get
        {
            TimeSpan timeout = _smoothed > 0 ? TimeSpan.FromSeconds(_smoothed + (4 * _variation)) : TimeSpan.FromSeconds(1);
            return (timeout > TimeoutMin ? timeout : TimeoutMin) * (1 << Math.Min(_timeouts, 6));
        }
    }

    private void Send()
    {
        while (_inFlight.Count < (int)_window)
        {
            long number = _next++;
            _inFlight.Add(number, clock.Now);
            forth.Send(SegmentBytes, roundTrip / 2, () => Arrived(number));
        }
    }

    private void Arrived(long number)
    {
        Delivered += SegmentBytes; // what was lost is sent again under another number: every segment that arrives is new
        bool isGap = _unacked.Count > 0 && number != _unacked[^1] + 1;
        _unacked.Add(number);
        if (_unacked.Count >= 2 || isGap)
        {
            Acknowledge();
        }
        else
        {
            clock.At(clock.Now + DelayedAck, () =>
            {
                if (_unacked.Count > 0 && _unacked[0] == number)
                {
                    Acknowledge();
                }
            });
        }
    }

    private void Acknowledge()
    {
        long[] numbers = [.. _unacked];
        _unacked.Clear();
        back.Send(AckBytes, roundTrip / 2, () => Acked(numbers));
    }

    private void Acked(long[] numbers)
    {
        bool isLimited = _inFlight.Count >= (int)_window;
        foreach (long number in numbers)
        {
            if (_inFlight.Remove(number, out TimeSpan sentAt))
            {
                Sample((clock.Now - sentAt).TotalSeconds);
                if (number > _recover && isLimited)
                {
                    Grow();
                }
            }
        }

        _progressAt = clock.Now;
        _timeouts = 0;
        long[] lost = [.. _inFlight.Keys.TakeWhile(number => number + DuplicatesMax <= numbers[^1])];
        foreach (long number in lost)
        {
            _inFlight.Remove(number);
        }

        if (lost.Length > 0 && lost[^1] > _recover)
        {
            Reduce();
        }

        Send();
    }

    private void Grow()
    {
        if (_window < _threshold)
        {
            _window++;
        }
        else if (isCubic)
        {
            GrowCubic();
        }
        else
        {
            _window += 1 / _window;
        }
    }

    private void GrowCubic()
    {
        if (_epoch is null)
        {
            _epoch = clock.Now;
            _windowReno = _window;
            _k = _windowMax > _window ? Math.Cbrt((_windowMax - _window) / CubicC) : 0;
            _windowMax = Math.Max(_window, _windowMax);
        }

        double t = (clock.Now - _epoch.Value).TotalSeconds + _smoothed;
        double target = Math.Clamp((CubicC * Math.Pow(t - _k, 3)) + _windowMax, _window, 1.5 * _window);
        double alpha = _windowReno < _windowMax ? 3 * (1 - CubicBeta) / (1 + CubicBeta) : 1;
        _windowReno += alpha / _window;
        _window = Math.Max(_window + ((target - _window) / _window), _windowReno);
    }

    private void Reduce()
    {
        _recover = _next - 1;
        _epoch = null;
        _windowMax = isCubic && _window < _windowMax ? _window * (1 + CubicBeta) / 2 : _window;
        _threshold = Math.Max(2, _window * (isCubic ? CubicBeta : 0.5));
        _window = _threshold;
    }

    private void Watch() => clock.At(_progressAt + Timeout, () =>
    {
        if (_inFlight.Count > 0 && clock.Now >= _progressAt + Timeout)
        {
            _inFlight.Clear();
            _recover = _next - 1;
            _threshold = Math.Max(2, _window / 2);
            _window = 1;
            _epoch = null;
            _timeouts++;
            _progressAt = clock.Now;
            Send();
        }

        Watch();
    });

    private void Sample(double seconds)
    {
        _variation = _smoothed == 0 ? seconds / 2 : (0.75 * _variation) + (0.25 * Math.Abs(_smoothed - seconds));
        _smoothed = _smoothed == 0 ? seconds : (0.875 * _smoothed) + (0.125 * seconds);
    }
}
