namespace AgentMesh.Remoting;

/// <summary>What a hub has accepted and refused since it was made.</summary>
public sealed class ConnectionHubCounters
{
    public Counter AcceptedStreams { get; } = new();

    /// <summary>Streams beyond the limit of open streams of a connection.</summary>
    public Counter RefusedStreams { get; } = new();

    /// <summary>Streams whose header was damaged or late.</summary>
    public Counter BadHeaders { get; } = new();

    public Counter UnknownServices { get; } = new();

    public Counter FailedHandlers { get; } = new();

    public Counter FailedAccepts { get; } = new();

    /// <summary>The exception that the last failed handler threw; null when none did.</summary>
    public Exception? LastHandlerFailure { get; internal set; }

    /// <summary>A number that only grows. Thread-safe.</summary>
    public sealed class Counter
    {
        private long _value;

        public long Value => Interlocked.Read(ref _value);

        internal void Increment() => Interlocked.Increment(ref _value);
    }
}
