using System.Text;

namespace AgentMesh.Journal;

/// <summary>Settings of a <see cref="PostgresPool"/>; the defaults are documented in <c>hocon/reference.conf</c> under <c>agentmesh.pool</c>.</summary>
public sealed record PostgresSettings
{
    /// <summary>Name of the pool, which is the home in the ids of its entities.</summary>
    public required string Pool { get; init; }

    /// <summary>In the form of Npgsql (<c>Host=db;Database=agentmesh;Username=mesh;Password=…</c>). Holds a password: it is never printed, logged, or part of an error.</summary>
    public required string ConnectionString { get; init; }

    /// <summary>The device that is a member; several sessions of one device follow each other.</summary>
    public required string Device { get; init; }

    /// <summary>What people call the device.</summary>
    public string DeviceName { get; init; } = "";

    /// <summary>So long a member holds its shards without renewing; after it, others take them. At least 1 s.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A write that is not stored after this time fails (<c>AM0408</c>); measured from the call.</summary>
    public TimeSpan AppendTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A recovery waits so long for a shard that another member holds, then fails (<c>AM0453</c>) and is tried again with the next message. Short: a
    /// recovery that waits takes the place of others, those of entities outside the pool included.
    /// </summary>
    public TimeSpan TakeTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Writes that may wait for the database; more are refused at once (<c>AM0409</c>).</summary>
    public int QueuedWritesMax { get; init; } = 16_384;

    /// <summary>Payload bytes that may wait for the database; more are refused at once (<c>AM0409</c>).</summary>
    public long QueuedBytesMax { get; init; } = 64L * 1024 * 1024;

    /// <summary>Writes that share one transaction at most.</summary>
    public int BatchWritesMax { get; init; } = 512;

    /// <summary>Connections that serve recoveries and queries; further readers wait.</summary>
    public int Readers { get; init; } = 4;

    // A record prints its members: not this one's secret.
    private bool PrintMembers(StringBuilder builder)
    {
        builder.Append("Pool = ").Append(Pool).Append(", Device = ").Append(Device);
        return true;
    }
}
