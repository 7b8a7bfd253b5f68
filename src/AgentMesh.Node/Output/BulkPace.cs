namespace AgentMesh.Node.Output;

/// <summary>
/// Lets what programs write step back while commands are served: then at most <paramref name="bytesPerSecond"/> of it pass this node, in and out together, and
/// the processors have time left. Without commands nothing is held back.
/// </summary>
/// <param name="bytesPerSecond">Null holds nothing back.</param>
internal sealed class BulkPace(long? bytesPerSecond, TimeProvider time)
{
    /// <summary>Commands that follow each other closer than this are one stretch of work.</summary>
    public static readonly TimeSpan Stretch = TimeSpan.FromSeconds(1);

    // Timers are no finer than a millisecond: what is ahead by less goes on, and waits the longer the next time.
    private static readonly TimeSpan AheadMax = TimeSpan.FromMilliseconds(2);

    // A wait that ends late, as on a busy machine it does, is made up for.
    private static readonly TimeSpan BehindMax = TimeSpan.FromMilliseconds(20);

    private readonly object _gate = new();
    private readonly long _origin = time.GetTimestamp();

    // The moment at which all that has passed would have, at the rate.
    private TimeSpan _due;
    private TimeSpan _calmUntil;

    private TimeSpan Now => time.GetElapsedTime(_origin);

    /// <summary>A command is to be served now.</summary>
    public void CommandSeen()
    {
        lock (_gate)
        {
            _calmUntil = Now + Stretch;
        }
    }

    /// <summary>To be called after so many bytes were read or sent; completes when the next may follow.</summary>
    public ValueTask PassAsync(int bytes, CancellationToken cancellationToken)
    {
        if (bytesPerSecond is not { } rate)
        {
            return ValueTask.CompletedTask;
        }

        TimeSpan ahead;
        lock (_gate)
        {
            TimeSpan now = Now;
            if (now >= _calmUntil)
            {
                return ValueTask.CompletedTask;
            }

            TimeSpan earliest = now - BehindMax;
            _due = (_due > earliest ? _due : earliest) + (TimeSpan.FromSeconds(1) * bytes / rate);
            ahead = _due - now;
        }

        return ahead <= AheadMax ? ValueTask.CompletedTask : new ValueTask(Task.Delay(ahead, time, cancellationToken));
    }
}
