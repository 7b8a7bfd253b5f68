namespace AgentMesh.Protocol.Connections;

/// <summary>Whether the other side is still there, and when to ask.</summary>
internal sealed class Liveness(ConnectionSettings settings, TimeSpan now)
{
    private TimeSpan _receivedAt = now;
    private TimeSpan _activeAt = now;
    private TimeSpan? _unansweredSince;
    private TimeSpan _patience = settings.PeerTimeout;

    /// <summary>When a frame about streams was last sent or received.</summary>
    public TimeSpan ActiveAt => _activeAt;

    /// <summary>An authentic packet arrived.</summary>
    /// <param name="isUse">It had more to say than that its sender is there.</param>
    public void Received(bool isUse, TimeSpan at)
    {
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

    public TimeSpan NextTimeout(bool hasStreams)
    {
        if (_unansweredSince is { } since)
        {
            return since + _patience;
        }

        return hasStreams
            ? settings.KeepAlive > TimeSpan.Zero ? _receivedAt + settings.KeepAlive : TimeSpan.MaxValue
            : settings.IdleTimeout > TimeSpan.Zero ? _activeAt + settings.IdleTimeout : TimeSpan.MaxValue;
    }

    public bool IsDead(TimeSpan at) => _unansweredSince is { } since && at - since >= _patience;

    public bool IsIdle(bool hasStreams, TimeSpan at) =>
        !hasStreams && _unansweredSince is null && settings.IdleTimeout > TimeSpan.Zero && at - _activeAt >= settings.IdleTimeout;

    public bool MustAsk(bool hasStreams, TimeSpan at) =>
        hasStreams && _unansweredSince is null && settings.KeepAlive > TimeSpan.Zero && at - _receivedAt >= settings.KeepAlive;
}
