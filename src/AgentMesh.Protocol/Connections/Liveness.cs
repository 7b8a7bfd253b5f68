namespace AgentMesh.Protocol.Connections;

/// <summary>Whether the other side is still there, and when to ask.</summary>
internal sealed class Liveness(ConnectionSettings settings, TimeSpan now)
{
    /// <summary>So many packets in a row, none long after the one before, are a flow.</summary>
    public const int FlowMin = 16;

    public static readonly TimeSpan StallMin = TimeSpan.FromMilliseconds(300);

    // Nobody uses a connection any more of which nothing else was heard or said for so long.
    private static readonly TimeSpan UseTime = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan FlowGapMax = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan KeepAliveMin = TimeSpan.FromSeconds(1);

    private TimeSpan _receivedAt = now;
    private TimeSpan _activeAt = now;
    private TimeSpan? _unansweredSince;
    private TimeSpan _patience = settings.PeerTimeout;
    private int _flow;
    private TimeSpan _flowGap;

    /// <summary>Until then the connection counts as used, if nothing more is sent or received about streams.</summary>
    public TimeSpan UsedUntil => _activeAt + UseTime;

    public bool IsUsed(TimeSpan at) => at < UsedUntil;

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

    /// <param name="isAsking">A PING waits to be sent, for pacing as an example: nothing more is to be done about asking.</param>
    public TimeSpan NextTimeout(in LivenessNeeds needs, bool isAsking)
    {
        if (_unansweredSince is { } since)
        {
            return since + _patience;
        }

        TimeSpan ask = TimeSpan.MaxValue;
        if (!isAsking)
        {
            TimeSpan stall = StallAt(needs.StallAfter), keep = KeepAliveAt(needs);
            ask = needs.HasStreams && keep < stall ? keep : stall;
        }

        return needs.HasStreams ? ask
            : settings.IdleTimeout > TimeSpan.Zero && _activeAt + settings.IdleTimeout < ask ? _activeAt + settings.IdleTimeout : ask;
    }

    public bool IsDead(TimeSpan at) => _unansweredSince is { } since && at - since >= _patience;

    public bool IsIdle(bool hasStreams, TimeSpan at) =>
        !hasStreams && _unansweredSince is null && settings.IdleTimeout > TimeSpan.Zero && at - _activeAt >= settings.IdleTimeout;

    public bool MustAsk(in LivenessNeeds needs, TimeSpan at)
    {
        if (_unansweredSince is not null)
        {
            return false;
        }

        if (at >= StallAt(needs.StallAfter))
        {
            // Once: the question itself is repeated until there is an answer.
            _flow = 0;
            return true;
        }

        return needs.HasStreams && at >= KeepAliveAt(needs);
    }

    /// <summary>After so much silence the other side is asked, as long as somebody relies on the connection; null: never.</summary>
    /// <param name="mappingIdle">As in <see cref="LivenessNeeds.MappingIdle"/>.</param>
    public TimeSpan? KeepAliveAfter(TimeSpan? mappingIdle)
    {
        if (settings.KeepAlive <= TimeSpan.Zero)
        {
            return null;
        }

        TimeSpan every = mappingIdle * 3 / 4 is { } least && least < settings.KeepAlive ? least : settings.KeepAlive;
        return every > KeepAliveMin ? every : KeepAliveMin < settings.KeepAlive ? KeepAliveMin : settings.KeepAlive;
    }

    private TimeSpan KeepAliveAt(in LivenessNeeds needs) =>
        KeepAliveAfter(needs.MappingIdle) is not { } every || (needs.HasBackup && _receivedAt + every >= UsedUntil) ? TimeSpan.MaxValue : _receivedAt + every;

    // Who only receives would never hear that the port it is sent to is no longer its own: what it says opens another one.
    private TimeSpan StallAt(TimeSpan stallAfter)
    {
        TimeSpan after = 2 * _flowGap > stallAfter ? 2 * _flowGap : stallAfter;
        return _flow >= FlowMin && after <= FlowGapMax ? _receivedAt + after : TimeSpan.MaxValue;
    }
}
