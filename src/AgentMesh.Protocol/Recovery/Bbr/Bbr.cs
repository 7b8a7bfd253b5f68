namespace AgentMesh.Protocol.Recovery;

/// <summary>
/// BBR, version 3 (draft-ietf-ccwg-bbr): sends as fast as the path was seen to deliver, and holds in flight what that rate fills in the least round trip.
/// <code>
/// Startup    --rate grows no more, or too much lost--> Drain
/// Drain      --queue drained, or three rounds--> Down
/// Down       --queue drained, room left for others--> Cruise
/// Cruise     --2 to 3 s, or 63 rounds, since Up--> Refill         (from Down too)
/// Refill     --a round--> Up
/// Up         --rate grows no more, or too much lost--> Down
/// any        --least round trip not seen for 10 s--> ProbeRtt --200 ms and a round--> Cruise, or Startup before the pipe was full
/// </code>
/// Where it differs from the draft, and why, is in ADR 0038: what a path loses however little is sent (<see cref="LossFloor"/>) is no sign of congestion.
/// </summary>
internal sealed class Bbr : ICongestionController
{
    private const double DrainPacingGain = 0.5;
    private const double DownPacingGain = 0.9;
    private const double UpPacingGain = 1.25;
    private const double WindowGain = 2;
    private const double UpWindowGain = 2.25;
    private const int StartupRunsMin = 6;
    private const int DrainRoundsMax = 3;
    private const int MaxRateCycles = 2;

    // Not of the draft: so much lost ends Startup even where the round trip shows no queue.
    private const double StartupLossMax = 0.25;

    private readonly DeliveryRate _rate = new();
    private readonly RoundCounter _rounds = new();
    private readonly LossRound _losses = new();
    private readonly LossFloor _floor = new();
    private readonly LeastRoundTrip _least = new();
    private readonly WindowedMax _maxRate = new();
    private readonly AckAggregation _aggregation = new();
    private readonly FullPipe _full = new();
    private readonly InflightCeiling _ceiling = new();
    private readonly LossUndo _undo = new();
    private readonly LeastDrain _drain = new();
    private readonly BbrPacing _pacing = new();
    private readonly ProbeCycle _probe;
    private readonly SendWindow _window;
    private ShortTermBounds _shortTerm = new();
    private double _pacingGain;
    private double _windowGain;
    private bool _isPipeFilled;
    private bool _isIdleRestart;
    private long _windowLimitedUntil;
    private long _drainRound;
    private bool _isAckMarked;

    /// <param name="seed">What spreads the probing of many connections; any number that differs between them.</param>
    public Bbr(int datagramBytes, ulong seed)
    {
        _probe = new ProbeCycle(seed);
        _window = new SendWindow(datagramBytes);
        Enter(BbrState.Startup, BbrPacing.StartupGain);
    }

    public long Window => (long)_window.Bytes;

    public bool IsProbing => State != BbrState.Cruise;

    public BbrState State { get; private set; }

    /// <summary>What the path was seen to deliver; bytes in a second.</summary>
    public double BytesPerSecond { get; private set; }

    /// <summary>The share that is lost without any queue.</summary>
    public double FloorOfLoss => _floor.Rate;

    /// <summary>What the path holds without a queue, at the present rate.</summary>
    private double Bdp => Product(BytesPerSecond);

    private bool IsWindowLimited => _rate.Delivered < _windowLimitedUntil;

    private bool IsAccelerating => State is BbrState.Startup or BbrState.Refill or BbrState.Up;

    private bool IsCycling => State is BbrState.Down or BbrState.Cruise or BbrState.Refill or BbrState.Up;

    public double PacingRate(RttEstimator rtt) => _pacing.Rate(_window.Initial);

    public void Sent(SentPacket packet, long bytesInFlight, TimeSpan now)
    {
        if (bytesInFlight <= packet.Bytes && _rate.IsAppLimited)
        {
            ContinueAfterIdle(now);
        }

        _rate.Sent(packet, bytesInFlight, now);
        if (bytesInFlight + _window.Datagram > Window)
        {
            _windowLimitedUntil = _rate.Delivered + bytesInFlight;
        }
    }

    public void RanDry(long bytesInFlight)
    {
        if (bytesInFlight < Window)
        {
            _rate.RanDry(bytesInFlight);
        }
    }

    public void Acked(SentPacket packet, TimeSpan now, RttEstimator rtt, bool isWindowUsed)
    {
        _floor.Acked();
        _rate.Acked(packet, now);
    }

    public void ArrivedLate(SentPacket packet, TimeSpan now)
    {
        _rate.Acked(packet, now);
        if (_undo.Cleared())
        {
            UndoLosses();
        }
    }

    public void PacketLost(SentPacket packet, TimeSpan now)
    {
        _rate.PacketLost(packet);
        _floor.Lost();
        if (_losses.PacketLost(packet, _rate.Delivered))
        {
            RememberWindow();
            _undo.Begin(_shortTerm, _ceiling.Bytes);
            if (_losses.IsMarked)
            {
                _undo.Confirm();
            }
        }

        _undo.Suspect();
        SendSnapshot sent = packet.Snapshot;
        long lost = _rate.Lost - sent.Lost;
        if (_probe.IsSample && IsTooMuch(lost, sent.InFlight))
        {
            ProbeFailed(_floor.InflightAtLoss(sent.InFlight, packet.Bytes, lost, LossFloor.Allowed), sent.IsAppLimited, now);
        }
    }

    public void Lost(TimeSpan sentAt, TimeSpan now)
    {
        // Each packet was told.
    }

    public void Marked(SentPacket newest, TimeSpan now)
    {
        _isAckMarked = true;
        _losses.Marked(_rate.Delivered);
        _undo.Confirm();
        if (_probe.IsSample)
        {
            ProbeFailed(newest.Snapshot.InFlight, newest.Snapshot.IsAppLimited, now);
        }
    }

    public void AckDone(long bytesInFlight, TimeSpan now, RttEstimator rtt)
    {
        if (_rate.TryTake(now, rtt.Minimum, out RateSample sample))
        {
            Take(sample, bytesInFlight, now, rtt);
        }

        _isAckMarked = false;
    }

    public void PersistentlyLost()
    {
        RememberWindow();
        _window.Collapse();
    }

    public void SetDatagramBytes(int bytes) => _window.SetDatagram(bytes);

    private void Take(in RateSample sample, long bytesInFlight, TimeSpan now, RttEstimator rtt)
    {
        _pacing.TakeRoundTrip(rtt, _window.Bytes);
        UpdateModel(sample, bytesInFlight, now);
        BytesPerSecond = Math.Min(_maxRate.Value, _shortTerm.BytesPerSecond);
        SetPacing(_pacingGain);
        SetWindow(sample);
    }

    private void UpdateModel(in RateSample sample, long bytesInFlight, TimeSpan now)
    {
        _rounds.Update(sample, _rate.Delivered);
        _losses.Update(sample, _rate.Delivered);
        if (sample.BytesPerSecond > 0 && (sample.BytesPerSecond >= _maxRate.Value || !sample.IsAppLimited))
        {
            _maxRate.Add(sample.BytesPerSecond, _probe.Number, MaxRateCycles);
        }

        if (_losses.IsEnd)
        {
            LossRoundEnded();
        }

        _aggregation.Update(sample.NewlyAcked, BytesPerSecond, _window.Bytes, _rounds, _isPipeFilled, now);
        _full.Update(sample, _rounds.IsStart);
        _isPipeFilled |= _full.IsFull;
        if (State == BbrState.Startup && _isPipeFilled)
        {
            _drainRound = _rounds.Count;
            Enter(BbrState.Drain, DrainPacingGain);
        }

        if (State == BbrState.Drain && (bytesInFlight <= WithBurst(Bdp) || _rounds.Count > _drainRound + DrainRoundsMax))
        {
            EnterDown(now);
        }

        UpdateCycle(sample, bytesInFlight, now);
        UpdateLeast(sample, bytesInFlight, now);
        _losses.Advance(sample);
        _floor.AckDone(sample.RoundTrip, _least.Value);
    }

    private void LossRoundEnded()
    {
        long carried = (long)_losses.Delivered + _losses.LostBytes;
        if (State == BbrState.Startup)
        {
            bool isHigh = _losses.LostRuns >= StartupRunsMin && IsTooMuch(_losses.LostBytes, carried);
            bool isQueued = _losses.IsMarked && _losses.MarkedBefore > 0;
            if (isQueued || (isHigh && (!LossFloor.IsQueueFree(_rounds.Least, _least.Value) || _losses.LostBytes > carried * StartupLossMax)))
            {
                _undo.Left = isQueued ? null : BbrState.Startup;
                _isPipeFilled = true;
                _ceiling.Set(Math.Max(Bdp, _losses.Delivered));
            }
        }
        else if (!IsAccelerating && (_losses.IsMarked || (_losses.LostBytes > 0 && _floor.IsExceeded(_losses.LostBytes, carried, 0, _window.Datagram))))
        {
            _shortTerm.Lower(_losses, _maxRate.Value, _window.Bytes);
        }

        _losses.ForgetLosses();
        _losses.ForgetMarks();
    }

    private void UpdateCycle(in RateSample sample, long bytesInFlight, TimeSpan now)
    {
        if (!_isPipeFilled || TakeFeedback(sample))
        {
            return;
        }

        switch (State)
        {
            case BbrState.Down or BbrState.Cruise when _probe.IsDue(now, _rounds.Count, Math.Min(Bdp, _window.Bytes) / _window.Datagram):
                EnterRefill();
                break;
            case BbrState.Down when bytesInFlight <= Math.Max(_ceiling.WithHeadroom(_window.Datagram), _window.Minimum) && bytesInFlight <= WithBurst(Product(_maxRate.Value)):
                Enter(BbrState.Cruise, 1);
                break;
            case BbrState.Refill when _rounds.IsStart:
                EnterUp(sample);
                break;
            case BbrState.Up when IsTimeToGoDown(sample, bytesInFlight):
                _probe.Ended();
                EnterDown(now);
                break;
        }
    }

    /// <summary>What probing showed arrives a round later than it was sent. True when it decided where to go.</summary>
    private bool TakeFeedback(in RateSample sample)
    {
        if (_probe.TakeFeedback(_rounds.IsStart, IsCycling, sample.IsAppLimited))
        {
            EnterRefill();
            return true;
        }

        if (_ceiling.IsSet && !_isAckMarked && !IsTooMuch(sample.Lost, sample.InFlight))
        {
            _ceiling.Held(sample.InFlight);
            if (State == BbrState.Up && IsWindowLimited && _window.Bytes >= _ceiling.Bytes)
            {
                _ceiling.Raise(sample.NewlyAcked, _window.Datagram);
                if (_rounds.IsStart)
                {
                    _ceiling.Steepen(_window.Bytes, _window.Datagram);
                }
            }
        }

        return false;
    }

    private bool IsTimeToGoDown(in RateSample sample, long bytesInFlight)
    {
        if (_probe.EndsCautiously(bytesInFlight, _ceiling.Bytes))
        {
            return true;
        }

        if (IsWindowLimited && _window.Bytes >= _ceiling.Bytes)
        {
            _full.Reset(sample.BytesPerSecond); // the ceiling is what limits the rate
            return false;
        }

        return _full.IsFull;
    }

    private void ProbeFailed(double inFlight, bool isAppLimited, TimeSpan now)
    {
        _probe.Failed();
        if (!isAppLimited)
        {
            _ceiling.ProbeFailed(inFlight, Bdp);
        }

        if (State == BbrState.Up)
        {
            _undo.Left = BbrState.Up;
            EnterDown(now);
        }
    }

    private void EnterDown(TimeSpan now)
    {
        _losses.Reset();
        _ceiling.StopRaising();
        _probe.Down(now, _rounds.Count);
        _rounds.Begin(_rate.Delivered);
        Enter(BbrState.Down, DownPacingGain);
    }

    private void EnterRefill()
    {
        _shortTerm = new ShortTermBounds();
        _ceiling.BeginRefill();
        _probe.Refill();
        _rounds.Begin(_rate.Delivered);
        Enter(BbrState.Refill, 1);
    }

    private void EnterUp(in RateSample sample)
    {
        _probe.Up();
        _rounds.Begin(_rate.Delivered);
        _full.Reset(sample.BytesPerSecond);
        Enter(BbrState.Up, UpPacingGain);
        _ceiling.Steepen(_window.Bytes, _window.Datagram);
    }

    private void Enter(BbrState state, double pacingGain)
    {
        State = state;
        _pacingGain = pacingGain;
        _windowGain = state == BbrState.Up ? UpWindowGain : state == BbrState.ProbeRtt ? LeastDrain.WindowGain : WindowGain;
    }

    private void UpdateLeast(in RateSample sample, long bytesInFlight, TimeSpan now)
    {
        bool isExpired = _least.IsExpired(now);
        if (isExpired && State != BbrState.ProbeRtt)
        {
            // By the old value: the sample at hand may have waited in the very queue that is to be drained.
            _drain.Plan(Bdp, _window.Minimum);
        }

        _least.Update(sample.RoundTrip, now);
        if (isExpired && State != BbrState.ProbeRtt && !_isIdleRestart)
        {
            RememberWindow();
            Enter(BbrState.ProbeRtt, 1);
            _drain.Begin();
            _probe.Stop();
            _rounds.Begin(_rate.Delivered);
        }

        if (State == BbrState.ProbeRtt)
        {
            DrainToSeeLeast(bytesInFlight, now);
        }

        _isIdleRestart = false;
    }

    private void DrainToSeeLeast(long bytesInFlight, TimeSpan now)
    {
        _rate.RanDry(bytesInFlight); // low rates by intent are no measure of the path
        if (_drain.HasRound(bytesInFlight, _rounds, _rate.Delivered, now))
        {
            LeaveProbeRttWhenDone(now);
        }
    }

    private void LeaveProbeRttWhenDone(TimeSpan now)
    {
        if (!_drain.IsOver(now))
        {
            return;
        }

        _least.Seen(now);
        _window.Restore();
        _shortTerm = new ShortTermBounds();
        if (_isPipeFilled)
        {
            EnterDown(now);
            Enter(BbrState.Cruise, 1);
        }
        else
        {
            Enter(BbrState.Startup, BbrPacing.StartupGain);
        }
    }

    private void ContinueAfterIdle(TimeSpan now)
    {
        _isIdleRestart = true;
        _aggregation.Begin(now);
        if (IsCycling)
        {
            SetPacing(1);
        }
        else if (State == BbrState.ProbeRtt)
        {
            LeaveProbeRttWhenDone(now);
        }
    }

    /// <summary>Nothing was lost after all.</summary>
    private void UndoLosses()
    {
        _window.Restore();
        _losses.ForgetLosses();
        _full.Reset();
        _undo.Restore(ref _shortTerm, _ceiling);
        if (_undo.Left == BbrState.Startup && State != BbrState.Startup)
        {
            _isPipeFilled = false;
            if (State != BbrState.ProbeRtt)
            {
                Enter(BbrState.Startup, BbrPacing.StartupGain);
            }
        }
        else if (_undo.Left == BbrState.Up && State is not (BbrState.Up or BbrState.ProbeRtt))
        {
            EnterRefill();
        }

        _undo.Left = null;
    }

    private void RememberWindow() => _window.Remember(isSmallByIntent: State == BbrState.ProbeRtt);

    private void SetPacing(double gain) => _pacing.Set(gain, BytesPerSecond, _isPipeFilled, _window.Datagram);

    private void SetWindow(in RateSample sample)
    {
        double most = WithBurst((_windowGain * Bdp) + _aggregation.Bytes);
        double cap = State switch
        {
            BbrState.Down or BbrState.Refill or BbrState.Up => _ceiling.Bytes,
            BbrState.Cruise => Math.Max(_ceiling.WithHeadroom(_window.Datagram), Math.Min(_ceiling.Bytes, Bdp)),
            BbrState.ProbeRtt => Math.Min(_drain.Window, _ceiling.WithHeadroom(_window.Datagram)),
            _ => double.PositiveInfinity,
        };
        _window.Grow(sample.NewlyAcked, most, Math.Min(cap, _shortTerm.InFlight), _isPipeFilled, _rate.Delivered);
    }

    private double Product(double bytesPerSecond) => _least.IsKnown ? bytesPerSecond * _least.Value.TotalSeconds : _window.Initial;

    // What goes out in one burst of the pacer has to fit, or the window and not the rate would hold it back.
    private double WithBurst(double bytes) => Math.Max(Math.Max(bytes, _pacing.Burst), _window.Minimum) + (State == BbrState.Up ? 2 * _window.Datagram : 0);

    private bool IsTooMuch(long lost, long inFlight) => _floor.IsExceeded(lost, inFlight, LossFloor.Allowed, _window.Datagram);
}
