namespace AgentMesh.Journal;

/// <summary>Settings of a <see cref="SqliteEventStore"/>; the defaults are documented in <c>hocon/reference.conf</c> under <c>agentmesh.journal</c>.</summary>
public sealed record EventStoreSettings
{
    /// <summary>Path of the database file; its directory must exist. <c>NAME-wal</c>, <c>NAME-shm</c>, <c>NAME.ack</c> and <c>NAME.lock</c> stand beside it.</summary>
    public required string Path { get; init; }

    /// <summary>A write that is not on disk after this time fails (<c>AM0408</c>); measured from the call.</summary>
    public TimeSpan AppendTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Writes that may wait for the disk; more are refused at once (<c>AM0409</c>).</summary>
    public int QueuedWritesMax { get; init; } = 16_384;

    /// <summary>Payload bytes that may wait for the disk; more are refused at once (<c>AM0409</c>).</summary>
    public long QueuedBytesMax { get; init; } = 64L * 1024 * 1024;

    /// <summary>Writes that share one transaction and one flush at most.</summary>
    public int BatchWritesMax { get; init; } = 2048;

    /// <summary>Connections that serve recoveries and queries; further readers wait.</summary>
    public int Readers { get; init; } = 4;

    /// <summary>A file up to this size is checked in full when it is opened (<c>PRAGMA quick_check</c>); 0 switches the check off.</summary>
    public long CheckBytesMax { get; init; } = 256L * 1024 * 1024;

    /// <summary>Largest size of the database file in bytes, 0 for no limit but the disk's; a write beyond it fails as on a full disk (<c>AM0405</c>).</summary>
    public long FileBytesMax { get; init; }
}
