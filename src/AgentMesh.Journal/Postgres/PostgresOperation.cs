using AgentMesh.Errors;
using Npgsql;

namespace AgentMesh.Journal.Postgres;

/// <summary>One write that waits for its transaction; one statement with one row as its result. It may be tried twice, when its batch is taken apart.</summary>
internal abstract class PostgresOperation
{
    /// <summary>The entity it concerns, for readers that must not overtake it.</summary>
    public required string Scope { get; init; }

    /// <summary>The shard whose epoch the write is made under; null for output, which is fenced by the number of its attempt.</summary>
    public required LeaseKey? Key { get; init; }

    public long Bytes { get; init; }

    /// <summary>Timestamp of the time provider after which it has failed.</summary>
    public long Deadline { get; set; }

    /// <summary>Its caller has been told that it timed out; guarded by the queue's lock.</summary>
    public bool IsAbandoned { get; set; }

    /// <summary>What the caller waits for.</summary>
    public abstract Task Ended { get; }

    public abstract NpgsqlBatchCommand Command(long epoch);

    public abstract void Read(NpgsqlDataReader row);

    /// <summary>The commit is on disk.</summary>
    public abstract void Complete();

    public abstract void Fail(MeshException error);
}

internal sealed class PostgresOperation<T>(Func<long, NpgsqlBatchCommand> command, Func<NpgsqlDataReader, T> read) : PostgresOperation
{
    private readonly TaskCompletionSource<T> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T _result = default!;

    public Task<T> Task => _completion.Task;

    public override Task Ended => _completion.Task;

    public override NpgsqlBatchCommand Command(long epoch) => command(epoch);

    public override void Read(NpgsqlDataReader row) => _result = read(row);

    public override void Complete() => _completion.TrySetResult(_result);

    public override void Fail(MeshException error) => _completion.TrySetException(error);
}
