namespace AgentMesh.Protocol.Connections;

/// <summary>Whether the other side is still there, and when to ask.</summary>
internal sealed class Liveness(ConnectionSettings settings, TimeSpan now)
{
    /// <summary>So many packets in a row, none long after the one before, are a flow.</summary>
    public const int FlowMin = 16;

    public static readonly TimeSpan StallMin = TimeSpan.FromMilliseconds(300);

    // A connection that nobody has used for so long may lose its direct path, where a relay is there.
    private static readonly TimeSpan UseTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan FlowGapMax = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan KeepAliveMin = TimeSpan.FromSeconds(1);

    private TimeSpan _receivedAt = now;
    private TimeSpan _activeAt = now;
    private TimeSpan? _unansweredSince;
    private TimeSpan _patience = settings.PeerTimeout;
    private int _flow;
    private TimeSpan _flowGap;

    /// <summary>When a frame about streams was last sent or received.</summary>
    public TimeSpan ActiveAt => _activeAt;

    /// <summary>An authentic packet arrived.</summary>
    /// <param name="isUse">It had more to say than that its sender is there.</param>
    /// <param name="isEliciting">It wants to be acknowledged.</param>
    public void Received(bool isUse, bool isEliciting, TimeSpan at)
    {
        if (isEliciting)
        {
            TimeSpan gap = at - _receivedAt;
            TimeSpan faded = TimeSpan.FromTicks(_flowGap.Ticks - (_flowGap.Ticks >> 3));
            (_flow, _flowGap) = gap > FlowGapMax ? (0, TimeSpan.Zero) : (_flow + 1, gap > faded ? gap : faded);
        }

        _receivedAt = at;
        if (isUse)
        {
            _activeAt = at;
        }
    }

    /// <summary>
    /// Something was acknowledged for the first time. Only this proves that both directions work: a peer that is heard but does not hear is as good as gone.
    /// </summary>
    public void Answered(bool isMoreInFlight, TimeSpan at)
    {
        _unansweredSince = isMoreInFlight ? at : null;
        _patience = settings.PeerTimeout;
    }

    /// <summary>The machine was asleep for long: if the other side is still there, it answers within <paramref name="patience"/>.</summary>
    public void Woke(TimeSpan patience)
    {
        _unansweredSince = null;
        _patience = patience < settings.PeerTimeout ? patience : settings.PeerTimeout;
    }

    /// <summary>
    /// Nothing waits for an answer. What was in flight last may have been given up and not acknowledged: later packets were, so the other side is there, and a PING is
    /// not said again.
    /// </summary>
    public void NothingInFlight() => _unansweredSince = null;

    public void SentEliciting(bool isUse, TimeSpan at)
    {
        _unansweredSince ??= at;
        if (isUse)
        {
            _activeAt = at;
        }
    }

    /// <summary>Since when something is in flight of which nothing was acknowledged; null while nothing waits.</summary>
    public TimeSpan? UnansweredSince => _unansweredSince;

    /// <summary>How long nothing was heard.</summary>
    public TimeSpan SilentFor(TimeSpan at) => at - _receivedAt;

    /// <summary>No port of a NAT on the way may be left alone for longer; null where none was lost so.</summary>
    public TimeSpan? MappingIdle { get; set; }

    /// <summary>The path in use is direct, and there is a relay beside it: a direct path that is lost while nobody uses it costs nothing.</summary>
    public bool HasBackup { get; set; }

    /// <param name="isAsking">A PING waits to be sent, for pacing as an example: nothing more is to be done about asking.</param>
    /// <param name="stallAfter">A flow that ends for so long is asked about.</param>
    public TimeSpan NextTimeout(bool hasStreams, bool isAsking, TimeSpan stallAfter)
    {
        if (_unansweredSince is { } since)
        {
            return since + _patience;
        }

        TimeSpan ask = TimeSpan.MaxValue;
        if (!isAsking)
        {
            TimeSpan stall = StallAt(stallAfter);
            ask = hasStreams && KeepAliveAt < stall ? KeepAliveAt : stall;
        }

        return hasStreams ? ask
            : settings.IdleTimeout > TimeSpan.Zero && _activeAt + settings.IdleTimeout < ask ? _activeAt + settings.IdleTimeout : ask;
    }

    public bool IsDead(TimeSpan at) => _unansweredSince is { } since && at - since >= _patience;

    public bool IsIdle(bool hasStreams, TimeSpan at) =>
        !hasStreams && _unansweredSince is null && settings.IdleTimeout > TimeSpan.Zero && at - _activeAt >= settings.IdleTimeout;

    public bool MustAsk(bool hasStreams, TimeSpan stallAfter, TimeSpan at)
    {
        if (_unansweredSince is not null)
        {
            return false;
        }

        if (at >= StallAt(stallAfter))
        {
            // Once: the question itself is repeated until there is an answer.
            _flow = 0;
            return true;
        }

        return hasStreams && at >= KeepAliveAt;
    }

    private TimeSpan KeepAliveAt
    {
        get
        {
            if (settings.KeepAlive <= TimeSpan.Zero)
            {
                return TimeSpan.MaxValue;
            }

            TimeSpan every = MappingIdle * 3 / 4 is { } least && least < settings.KeepAlive ? least : settings.KeepAlive;
            TimeSpan at = _receivedAt + (every > KeepAliveMin ? every : KeepAliveMin < settings.KeepAlive ? KeepAliveMin : settings.KeepAlive);
            return HasBackup && at >= _activeAt + UseTime ? TimeSpan.MaxValue : at;
        }
    }

    // Who only receives would never hear that the port it is sent to is no longer its own: what it says opens another one.
    private TimeSpan StallAt(TimeSpan stallAfter)
    {
        TimeSpan after = 2 * _flowGap > stallAfter ? 2 * _flowGap : stallAfter;
        return _flow >= FlowMin && after <= FlowGapMax ? _receivedAt + after : TimeSpan.MaxValue;
    }
}
