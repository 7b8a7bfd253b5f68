using System.Data;
using System.Data.Common;
using AgentMesh.Journal;
using AgentMesh.Journal.Postgres;
using Npgsql;
using Simulation.Engine;
using StoredEvent = AgentMesh.Journal.StoredEvent;

namespace Simulation.Pools;

/// <summary>The database of a pool as one life of a node's process reaches it, over its <see cref="PoolLink"/>.</summary>
internal sealed class PoolClient(SimLoop loop, SimProcess process, PoolServer server, PoolLink link, string device) : IPoolDatabase, IPoolLeases, IPoolReads
{
    /// <summary>As the client of the product has it: its command timeout.</summary>
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(10);

    /// <summary>Those that this process has been; more than one at a time while one actor system follows another.</summary>
    private readonly HashSet<string> _members = new(StringComparer.Ordinal);

    private PoolServer Server => server;

    private PoolLink Link => link;

    public string Place => "database sim";

    public IPoolLeases Leases => this;

    public IPoolReads Reads => this;

    public IPoolWrites OpenWrites() => new Writes(this);

    public Task<IReadOnlyList<PoolMember>> MembersAsync(CancellationToken cancellation) => WrappedAsync<IReadOnlyList<PoolMember>>(answer => answer(server.Members()), cancellation);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public Task PrepareAsync(CancellationToken cancellation) => AskAsync<bool>(answer => answer(true), cancellation);

    public Task JoinAsync(string member, string before, CancellationToken cancellation)
    {
        _members.Add(member);
        return WrappedAsync<bool>(
            answer =>
            {
                server.Join(member, device, before);
                answer(true);
            },
            cancellation);
    }

    public Task<bool> RenewAsync(string member, CancellationToken cancellation) => WrappedAsync<bool>(answer => answer(server.Renew(member)), cancellation);

    public Task LeaveAsync(string member, CancellationToken cancellation) => WrappedAsync<bool>(
        answer =>
        {
            server.Leave(member);
            answer(true);
        },
        cancellation);

    public Task<IReadOnlySet<LeaseKey>> HeldAsync(string butOf, CancellationToken cancellation) => WrappedAsync<IReadOnlySet<LeaseKey>>(answer => answer(server.Held(butOf)), cancellation);

    public Task<ShardTaking> TakeAsync(LeaseKey key, string member, CancellationToken cancellation) => AskAsync<ShardTaking>(answer => server.Take(key, member, answer), cancellation);

    public Task ReleaseAsync(string member, IReadOnlyList<LeaseKey> keys, CancellationToken cancellation) => WrappedAsync<bool>(
        answer =>
        {
            server.Release(member, keys);
            answer(true);
        },
        cancellation);

    public void ForgetConnections()
    {
        // Each question has a connection of its own here.
    }

    public Task<long> HighestSequenceAsync(string persistenceId, CancellationToken cancellation) => WrappedAsync<long>(answer => answer(server.Tables.Highest(persistenceId)), cancellation);

    public Task<IReadOnlyList<StoredEvent>> EventsAsync(string persistenceId, long from, int max, CancellationToken cancellation) =>
        WrappedAsync<IReadOnlyList<StoredEvent>>(answer => answer(server.Tables.Events(persistenceId, from, long.MaxValue, max)), cancellation);

    public async Task ReplayAsync(string persistenceId, long from, long to, long max, Action<StoredEvent> callback, CancellationToken cancellation)
    {
        loop.Note($"{persistenceId} is read");
        foreach (StoredEvent stored in await WrappedAsync<IReadOnlyList<StoredEvent>>(answer => answer(server.Tables.Events(persistenceId, from, to, max)), cancellation))
        {
            callback(stored);
        }
    }

    public Task<StoredSnapshot?> FindSnapshotAsync(string persistenceId, SnapshotBounds bounds, CancellationToken cancellation) =>
        WrappedAsync<StoredSnapshot?>(answer => answer(server.Tables.Snapshot(persistenceId, bounds)), cancellation);

    public Task<EntityPage> NewestFirstAsync(string prefix, bool isRemoved, long? before, int limit, CancellationToken cancellation) => Task.FromResult(new EntityPage([], null));

    public Task<IReadOnlyList<EntitySummary>> WithOpenEndAsync(string prefix, IReadOnlySet<string> closedManifests, int limit, Func<string, bool>? wanted, CancellationToken cancellation) =>
        WrappedAsync<IReadOnlyList<EntitySummary>>(answer => answer(server.Tables.Open(prefix, closedManifests, limit, wanted)), cancellation);

    private async Task<T> WrappedAsync<T>(Action<Action<T>> atServer, CancellationToken cancellation)
    {
        try
        {
            return await AskAsync(atServer, cancellation);
        }
        catch (Exception error) when (PostgresProblems.IsOne(error) || error is OperationCanceledException)
        {
            throw PostgresProblems.Unreachable(error, Place);
        }
    }

    /// <summary>One statement and its answer. That nobody waits for the answer any more does not undo the statement.</summary>
    private async Task<T> AskAsync<T>(Action<Action<T>> atServer, CancellationToken cancellation, PoolConnection? connection = null)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        bool isReset = loop.Chance(link.Lost);
        if (isReset)
        {
            // Here it is known at once; there what was sent before may lie in a buffer for a while, and is done then.
            loop.After(loop.Between(0.001, 0.5), process, () => answer.TrySetException(Reset()));
        }

        link.Send(null, () => atServer(result => link.Send(process, () => Answered(result))), connection, isSlow: isReset && loop.Chance(0.5));

        // A process that was stopped finds the answer and the end of its patience at once when it goes on, and sees one of them first.
        SimTimer late = loop.After(AnswerWithin, process, () => loop.After(Soon(), process, () => answer.TrySetException(new TimeoutException())));
        using CancellationTokenRegistration given = cancellation.Register(() => loop.After(Soon(), process, () => answer.TrySetCanceled(cancellation)));
        try
        {
            return await answer.Task;
        }
        finally
        {
            late.Cancel();
        }

        void Answered(T result)
        {
            if (loop.Chance(link.Lost))
            {
                answer.TrySetException(Reset());
            }
            else
            {
                answer.TrySetResult(result);
            }
        }
    }

    private static NpgsqlException Reset() => new("the connection was reset", new IOException());

    private TimeSpan Soon() => loop.Chance(0.5) ? TimeSpan.Zero : loop.Between(0.0001, 0.002);

    /// <summary>Nobody waits for the outcome.</summary>
    private void Repeat(PoolTransaction transaction) => loop.After(loop.Chance(0.5) ? loop.Between(0.001, 0.2) : loop.Between(0.2, 8), null, () => server.Repeat(transaction));

    private sealed class Writes(PoolClient client) : IPoolWrites
    {
        public async Task CommitAsync(IReadOnlyList<(PostgresOperation Operation, NpgsqlBatchCommand Statement)> writes, Action committing, CancellationToken cancellation)
        {
            var transaction = new PoolTransaction(client._members, [.. writes.Select(write => PoolStatement.Of(write.Statement))]);
            var connection = new PoolConnection();
            try
            {
                IReadOnlyList<object[]> rows = await client.AskAsync<IReadOnlyList<object[]>>(
                    answer => client.Link.Arrive(transaction, () => client.Server.Begin(transaction, answer)), cancellation, connection);
                for (int i = 0; i < writes.Count; i++)
                {
                    using DbDataReader row = RowOf(rows[i]);
                    writes[i].Operation.Read(row);
                }

                committing();
                bool isDone = await client.AskAsync<bool>(answer => answer(client.Server.Commit(transaction)), cancellation, connection);
                if (client.Link.Repeats > 0)
                {
                    client.Link.Repeats--;
                    client.Repeat(transaction);
                    isDone = false;
                }

                if (!isDone)
                {
                    throw Reset();
                }
            }
            catch
            {
                // The end of the connection goes behind what was sent on it.
                client.Link.Send(null, () => client.Server.End(transaction), connection);
                throw;
            }
        }

        public ValueTask ForgetConnectionAsync() => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private static DbDataReader RowOf(object[] values)
        {
            using var table = new DataTable();
            for (int i = 0; i < values.Length; i++)
            {
                table.Columns.Add($"c{i}", values[i].GetType());
            }

            table.Rows.Add(values);
            DataTableReader reader = table.CreateDataReader();
            reader.Read();
            return reader;
        }
    }
}
