namespace AgentMesh.Journal.Events;

/// <summary>The bounds of a <see cref="WriteQueue{TWrite}"/>, and how it speaks of what is behind it.</summary>
internal sealed record WriteQueueSettings
{
    /// <summary>What is written to, in words.</summary>
    public required string Place { get; init; }

    /// <summary>Why nothing is taken any more once it is closing.</summary>
    public required string ClosedBecause { get; init; }

    /// <summary>What to do when it is full.</summary>
    public required string WhenFull { get; init; }

    /// <summary>What to do when a write took too long.</summary>
    public required string WhenLate { get; init; }

    /// <summary>A write that is not stored after this time fails; measured from the call.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>Writes that may wait; more are refused at once.</summary>
    public required int WritesMax { get; init; }

    /// <summary>Payload bytes that may wait; more are refused at once. One write alone is always taken.</summary>
    public required long BytesMax { get; init; }

    /// <summary>Writes of one batch at most.</summary>
    public required int BatchWritesMax { get; init; }

    /// <summary>A batch that has so many bytes takes no more writes.</summary>
    public long BatchBytesMax { get; init; } = long.MaxValue;
}
