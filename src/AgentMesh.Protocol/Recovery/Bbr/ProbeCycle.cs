namespace AgentMesh.Protocol.Recovery;

/// <summary>
/// Probing a path for more, again and again (ProbeBW of draft-ietf-ccwg-bbr): when the next probe is due, and what the last one showed, which arrives a round later than it was sent.
/// </summary>
/// <param name="seed">What spreads the probing of many connections; any number that differs between them.</param>
internal sealed class ProbeCycle(ulong seed)
{
    private readonly ProbeTimes _times = new(seed);
    private Feedback _feedback;
    private bool _wasTooHigh;
    private bool _wasCautious;

    private enum Feedback
    {
        None,
        Starting,
        Coming,
        Stopping,
    }

    /// <summary>How many probes have shown what they could: the time that the greatest rate goes by.</summary>
    public long Number { get; private set; }

    /// <summary>What is acknowledged or lost now may have been sent by the probe.</summary>
    public bool IsSample { get; private set; }

    /// <inheritdoc cref="ProbeTimes.IsDue"/>
    public bool IsDue(TimeSpan now, long round, double datagrams) => _times.IsDue(now, round, datagrams);

    /// <summary>The path is filled, before more is tried.</summary>
    public void Refill()
    {
        _wasCautious = false;
        _feedback = Feedback.None;
    }

    /// <summary>More than the path is known to carry is sent.</summary>
    public void Up()
    {
        IsSample = true;
        _feedback = Feedback.Starting;
    }

    /// <summary>What was sent beyond drains, and the wait for the next probe begins.</summary>
    public void Down(TimeSpan now, long round)
    {
        _times.Begin(now, round);
        Stop();
    }

    /// <summary>Nothing more is tried; what was is still under way.</summary>
    public void Stop() => _feedback = Feedback.Stopping;

    /// <summary>Too much was lost, or was marked.</summary>
    public void Failed()
    {
        _wasTooHigh = true;
        IsSample = false;
    }

    /// <summary>After a probe that failed no more is tried than what it had in flight then.</summary>
    /// <returns>True where it has come so far and is over.</returns>
    public bool EndsCautiously(long bytesInFlight, double ceiling)
    {
        if (!_wasTooHigh || bytesInFlight < ceiling)
        {
            return false;
        }

        _wasCautious = true;
        return true;
    }

    /// <summary>It is over without having failed.</summary>
    public void Ended() => _wasTooHigh = false;

    /// <param name="isCycling">No other state of the controller came between.</param>
    /// <returns>True where the probe was a cautious one, and carried: more is to be tried at once.</returns>
    public bool TakeFeedback(bool isRoundStart, bool isCycling, bool isAppLimited)
    {
        if (!isRoundStart || _feedback is not (Feedback.Starting or Feedback.Stopping))
        {
            return false;
        }

        if (_feedback == Feedback.Starting)
        {
            _feedback = Feedback.Coming;
            return false;
        }

        IsSample = false;
        _feedback = Feedback.None;
        Number += isCycling && !isAppLimited ? 1 : 0;
        return isCycling && _wasCautious && !_wasTooHigh;
    }
}
