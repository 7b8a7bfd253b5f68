namespace AgentMesh.Journal;

/// <summary>Which bytes of an attempt; the numbers are part of the file format.</summary>
public enum OutputStreamKind
{
    Stdout = 1,
    Stderr = 2,
    Events = 3,
}

/// <summary>One append-only byte stream: what one attempt of one job wrote to one of its streams.</summary>
/// <param name="JobId">At most 512 bytes of UTF-8.</param>
/// <param name="Attempt">From 1; the fencing token.</param>
/// <param name="Stream">The stream of the attempt.</param>
public readonly record struct OutputAddress(string JobId, int Attempt, OutputStreamKind Stream);

public enum OutputAppendStatus
{
    /// <summary>On disk up to the returned length.</summary>
    Acknowledged,

    /// <summary>Refused: the offset is behind the end of what is stored; send again from the returned length.</summary>
    Gap,

    /// <summary>Refused: a newer attempt has started.</summary>
    OlderAttempt,

    /// <summary>Refused: the final length is set and the bytes are beyond it.</summary>
    BeyondFinalLength,
}

/// <param name="Status">What became of the append.</param>
/// <param name="Length">Acknowledged length of the stream: where the sender goes on.</param>
public readonly record struct OutputAppendResult(OutputAppendStatus Status, long Length);

/// <param name="Length">Acknowledged bytes.</param>
/// <param name="FinalLength">Set when the attempt has ended; the stream is complete when <paramref name="Length"/> has reached it.</param>
/// <param name="CurrentAttempt">The newest attempt of the job, 0 before the first.</param>
public readonly record struct OutputState(long Length, long? FinalLength, int CurrentAttempt)
{
    public bool IsComplete => Length == FinalLength;
}

/// <param name="Offset">Where <paramref name="Data"/> begins.</param>
/// <param name="Data">Empty when there is nothing (yet) at the offset.</param>
/// <param name="State">The stream when it was read.</param>
public readonly record struct OutputSlice(long Offset, ReadOnlyMemory<byte> Data, OutputState State);

/// <summary>Settings of an <see cref="OutputStore"/>; the defaults are documented in <c>hocon/reference.conf</c> under <c>agentmesh.output</c>.</summary>
public sealed record OutputStoreSettings
{
    /// <summary>Directory of the store; created when absent.</summary>
    public required string Directory { get; init; }

    /// <summary>Size of all files; beyond it the output of the jobs that ended longest ago is removed.</summary>
    public long BytesMax { get; init; } = 20L * 1024 * 1024 * 1024;

    /// <summary>Size of the output of one job, all attempts together; more is refused (<c>AM0422</c>).</summary>
    public long JobBytesMax { get; init; } = 4L * 1024 * 1024 * 1024;

    /// <summary>Bytes written and not yet flushed; appends wait beyond it.</summary>
    public long UnflushedBytesMax { get; init; } = 64L * 1024 * 1024;

    /// <summary>Files kept open; idle ones are closed beyond it.</summary>
    public int OpenFilesMax { get; init; } = 256;

    /// <summary>Output whose job never recorded an end counts as ended after so long without a write.</summary>
    public TimeSpan AbandonedAfter { get; init; } = TimeSpan.FromDays(7);
}
