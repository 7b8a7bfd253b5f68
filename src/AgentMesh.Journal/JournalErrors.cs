namespace AgentMesh.Journal;

/// <summary>Error codes of the stores; each has a page in <c>docs/errors</c>.</summary>
public static class JournalErrors
{
    /// <summary>Another process holds the store of this data directory.</summary>
    public const string Locked = "AM0401";

    /// <summary>Stored data is damaged or acknowledged data is missing.</summary>
    public const string Damaged = "AM0402";

    /// <summary>The file was written by a newer version.</summary>
    public const string NewerFormat = "AM0403";

    /// <summary>The file is no journal of this program.</summary>
    public const string NotAJournal = "AM0404";

    /// <summary>There is no room left; nothing of the refused write was stored.</summary>
    public const string DiskFull = "AM0405";

    /// <summary>The storage failed; whether the write is stored is known only after the next recovery.</summary>
    public const string StorageFailed = "AM0406";

    /// <summary>The data directory or a file in it cannot be written.</summary>
    public const string ReadOnly = "AM0407";

    /// <summary>A write did not finish before its deadline.</summary>
    public const string Timeout = "AM0408";

    /// <summary>Too many writes are waiting; nothing of the refused write was stored.</summary>
    public const string Overloaded = "AM0409";

    /// <summary>No usable SQLite library.</summary>
    public const string SqliteLibrary = "AM0410";

    /// <summary>Another writer has appended to the same entity; nothing of the refused write was stored.</summary>
    public const string Fenced = "AM0411";

    /// <summary>The store is closed.</summary>
    public const string Closed = "AM0412";

    /// <summary>Stored output of a job is damaged.</summary>
    public const string OutputDamaged = "AM0420";

    /// <summary>The output store has reached its size and nothing in it may be removed.</summary>
    public const string OutputFull = "AM0421";

    /// <summary>The output of one job has reached the limit for a job.</summary>
    public const string OutputTooLarge = "AM0422";

    /// <summary>The audit log cannot be written: nothing is run that it does not hold.</summary>
    public const string AuditFailed = "AM0430";

    /// <summary>An artifact is larger than its store takes.</summary>
    public const string ArtifactTooLarge = "AM0440";

    /// <summary>The artifact store has reached its size and nothing in it may be removed.</summary>
    public const string ArtifactStoreFull = "AM0441";

    /// <summary>An artifact is not in the store, or not any more.</summary>
    public const string ArtifactGone = "AM0442";

    /// <summary>The artifact store cannot write.</summary>
    public const string ArtifactNotStored = "AM0443";

    /// <summary>What came is not the content that was announced.</summary>
    public const string ArtifactDamaged = "AM0444";

    /// <summary>The database of a pool cannot be reached, or refuses this node.</summary>
    public const string DatabaseUnreachable = "AM0450";

    /// <summary>The database of a pool has tables of a newer version, or lacks what this version needs.</summary>
    public const string DatabaseFormat = "AM0451";

    /// <summary>This member has lost its lease: nothing was stored.</summary>
    public const string LeaseLost = "AM0452";

    /// <summary>Another member of the pool holds the shard and is alive.</summary>
    public const string ShardHeld = "AM0453";

    /// <summary>The connection string of a pool is missing or cannot be used.</summary>
    public const string BadConnection = "AM0454";
}
