using AgentMesh.Journal;
using Npgsql;

namespace Simulation.Pools;

/// <summary>A transaction and what it holds until it ends.</summary>
/// <param name="members">Those that the process has been which it was begun by.</param>
internal sealed class PoolTransaction(IReadOnlySet<string> members, IReadOnlyList<PoolStatement> statements)
{
    public IReadOnlySet<string> Members => members;

    public IReadOnlyList<PoolStatement> Statements => statements;

    public HashSet<LeaseKey> Shards { get; } = [];

    public HashSet<string> Entities { get; } = new(StringComparer.Ordinal);

    /// <summary>What becomes true with the commit.</summary>
    public List<PoolChange> Changes { get; } = [];

    public List<Action> Waiting { get; } = [];

    public bool IsOver { get; set; }

    public bool IsCommitted { get; set; }
}

internal sealed record PoolChange(PoolStatement Statement, Action Apply);

/// <summary>A statement of <see cref="PostgresEventStore"/>: a function of the database, and its arguments in their order.</summary>
internal sealed record PoolStatement(string Function, IReadOnlyList<object?> Arguments)
{
    public string Id => (string)Arguments[0]!;

    public LeaseKey Key => LeaseKey.Of(Id);

    /// <summary>Every function has it behind home and shard.</summary>
    public long Epoch => (long)Arguments[Function == "append" ? 4 : 3]!;

    public static PoolStatement Of(NpgsqlBatchCommand command)
    {
        const string Schema = "agentmesh.";
        string text = command.CommandText;
        int begin = text.IndexOf(Schema, StringComparison.Ordinal) + Schema.Length;
        return new PoolStatement(text[begin..text.IndexOf('(', begin)], [.. command.Parameters.Cast<NpgsqlParameter>().Select(parameter => parameter.Value)]);
    }

    public T At<T>(int index) => (T)Arguments[index]!;
}
