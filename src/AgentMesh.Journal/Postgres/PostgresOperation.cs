using System.Data.Common;
using AgentMesh.Errors;
using AgentMesh.Journal.Events;
using Npgsql;

namespace AgentMesh.Journal.Postgres;

/// <summary>A write to the database: one statement with one row as its result. It may be tried twice, when its batch is taken apart.</summary>
internal abstract class PostgresOperation : QueuedWrite
{
    /// <summary>The shard whose epoch the write is made under; null for output, which is fenced by the number of its attempt.</summary>
    public required LeaseKey? Key { get; init; }

    public abstract NpgsqlBatchCommand Command(long epoch);

    public abstract void Read(DbDataReader row);
}

internal sealed class PostgresOperation<T>(Func<long, NpgsqlBatchCommand> command, Func<DbDataReader, T> read) : PostgresOperation
{
    private readonly TaskCompletionSource<T> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T _result = default!;

    public Task<T> Task => _completion.Task;

    public override Task Ended => _completion.Task;

    public override NpgsqlBatchCommand Command(long epoch) => command(epoch);

    public override void Read(DbDataReader row) => _result = read(row);

    public override void Complete() => _completion.TrySetResult(_result);

    public override void Fail(MeshException error) => _completion.TrySetException(error);
}
