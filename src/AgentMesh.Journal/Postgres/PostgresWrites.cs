using AgentMesh.Errors;
using Npgsql;

namespace AgentMesh.Journal.Postgres;

/// <summary>Transactions on one connection, which is kept while it works.</summary>
internal sealed class PostgresWrites(NpgsqlDataSource source) : IPoolWrites
{
    private NpgsqlConnection? _connection;

    public async Task CommitAsync(IReadOnlyList<(PostgresOperation Operation, NpgsqlBatchCommand Statement)> writes, Action committing, CancellationToken cancellation)
    {
        NpgsqlBatch statements = new();
        await using (statements.ConfigureAwait(false))
        {
            foreach ((_, NpgsqlBatchCommand statement) in writes)
            {
                statements.BatchCommands.Add(statement);
            }

            NpgsqlConnection connection = await ConnectionAsync(cancellation).ConfigureAwait(false);
            NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
            await using (transaction.ConfigureAwait(false))
            {
                statements.Connection = connection;
                statements.Transaction = transaction;
                await RunAsync(statements, writes, cancellation).ConfigureAwait(false);
                committing();
                await transaction.CommitAsync(cancellation).ConfigureAwait(false);
            }
        }
    }

    public async ValueTask ForgetConnectionAsync()
    {
        if (Interlocked.Exchange(ref _connection, null) is { } connection)
        {
            NpgsqlConnection.ClearPool(connection);
            try
            {
                await connection.DisposeAsync().ConfigureAwait(false);
            }
            catch (Exception error) when (PostgresProblems.IsOne(error))
            {
                // It is broken already.
            }
        }
    }

    public ValueTask DisposeAsync() => ForgetConnectionAsync();

    private static async Task RunAsync(NpgsqlBatch statements, IReadOnlyList<(PostgresOperation Operation, NpgsqlBatchCommand Statement)> writes, CancellationToken cancellation)
    {
        // Costs a round trip for the first statement of its kind on a connection, and nothing after it.
        await statements.PrepareAsync(cancellation).ConfigureAwait(false);
        NpgsqlDataReader rows = await statements.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
        await using (rows.ConfigureAwait(false))
        {
            foreach ((PostgresOperation operation, _) in writes)
            {
                Invariant.Check(await rows.ReadAsync(cancellation).ConfigureAwait(false));
                operation.Read(rows);
                await rows.NextResultAsync(cancellation).ConfigureAwait(false);
            }
        }
    }

    private async Task<NpgsqlConnection> ConnectionAsync(CancellationToken cancellation)
    {
        if (_connection is { State: System.Data.ConnectionState.Open })
        {
            return _connection;
        }

        await ForgetConnectionAsync().ConfigureAwait(false);
        return _connection = await source.OpenConnectionAsync(cancellation).ConfigureAwait(false);
    }
}
