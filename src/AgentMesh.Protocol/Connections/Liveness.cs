namespace AgentMesh.Protocol.Connections;

/// <summary>Whether the other side is still there, and when to ask.</summary>
internal sealed class Liveness(ConnectionSettings settings, TimeSpan now)
{
    private TimeSpan _receivedAt = now;
    private TimeSpan _activeAt = now;
    private TimeSpan? _unansweredSince;

    /// <summary>An authentic packet arrived.</summary>
    public void Received(bool isAckEliciting, TimeSpan at)
    {
        _receivedAt = at;
        _unansweredSince = null;
        if (isAckEliciting)
        {
            _activeAt = at;
        }
    }

    public void SentEliciting(TimeSpan at)
    {
        _unansweredSince ??= at;
        _activeAt = at;
    }

    public TimeSpan NextTimeout(bool hasStreams)
    {
        if (_unansweredSince is { } since)
        {
            return since + settings.PeerTimeout;
        }

        return hasStreams
            ? settings.KeepAlive > TimeSpan.Zero ? _receivedAt + settings.KeepAlive : TimeSpan.MaxValue
            : settings.IdleTimeout > TimeSpan.Zero ? _activeAt + settings.IdleTimeout : TimeSpan.MaxValue;
    }

    public bool IsDead(TimeSpan at) => _unansweredSince is { } since && at - since >= settings.PeerTimeout;

    public bool IsIdle(bool hasStreams, TimeSpan at) =>
        !hasStreams && _unansweredSince is null && settings.IdleTimeout > TimeSpan.Zero && at - _activeAt >= settings.IdleTimeout;

    public bool MustAsk(bool hasStreams, TimeSpan at) =>
        hasStreams && _unansweredSince is null && settings.KeepAlive > TimeSpan.Zero && at - _receivedAt >= settings.KeepAlive;
}
