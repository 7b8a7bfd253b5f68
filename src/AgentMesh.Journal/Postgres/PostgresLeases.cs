using Npgsql;

namespace AgentMesh.Journal.Postgres;

/// <summary>The statements about members and shards, on connections of their own.</summary>
internal sealed class PostgresLeases(PostgresSettings settings, NpgsqlDataSource source, string place) : IPoolLeases
{
    public Task PrepareAsync(CancellationToken cancellation) => PostgresSchema.MigrateAsync(source, place, cancellation);

    public Task JoinAsync(string member, string before, CancellationToken cancellation) => ExecuteAsync(
        """
        WITH gone AS (DELETE FROM agentmesh.members WHERE home = $2 AND (member_id = $6 OR expires_at < clock_timestamp() - interval '1 day'))
        INSERT INTO agentmesh.members (member_id, home, device, name, started_at, expires_at)
        VALUES ($1, $2, $3, $4, clock_timestamp(), clock_timestamp() + $5 * interval '1 millisecond')
        """,
        [PostgresReads.Text(member), PostgresReads.Text(settings.Pool), PostgresReads.Text(settings.Device), PostgresReads.Text(settings.DeviceName), LeaseMilliseconds(), PostgresReads.Text(before)],
        cancellation);

    public async Task<bool> RenewAsync(string member, CancellationToken cancellation) => await ExecuteAsync(
        "UPDATE agentmesh.members SET expires_at = clock_timestamp() + $2 * interval '1 millisecond' WHERE member_id = $1 AND expires_at > clock_timestamp()",
        [PostgresReads.Text(member), LeaseMilliseconds()],
        cancellation).ConfigureAwait(false) > 0;

    public Task LeaveAsync(string member, CancellationToken cancellation) => ExecuteAsync("DELETE FROM agentmesh.members WHERE member_id = $1", [PostgresReads.Text(member)], cancellation);

    public Task<IReadOnlyList<PoolMember>> MembersAsync(CancellationToken cancellation) => PoolMembers.ReadAsync(source, settings.Pool, place, cancellation);

    public Task<IReadOnlySet<LeaseKey>> HeldAsync(string butOf, CancellationToken cancellation) => PoolMembers.HeldAsync(source, settings.Pool, butOf, place, cancellation);

    public Task<ShardTaking> TakeAsync(LeaseKey key, string member, CancellationToken cancellation) =>
        PostgresProblems.OverFreshAsync(source, () => TakeOnceAsync(key, member, cancellation));

    public Task ReleaseAsync(string member, IReadOnlyList<LeaseKey> keys, CancellationToken cancellation) => ExecuteAsync(
        "UPDATE agentmesh.shards s SET member_id = NULL FROM unnest($2::text[], $3::text[]) AS k(home, shard) WHERE s.home = k.home AND s.shard = k.shard AND s.member_id = $1",
        [PostgresReads.Text(member), Texts(keys.Select(key => key.Home)), Texts(keys.Select(key => key.Shard))],
        cancellation);

    public void ForgetConnections() => source.Clear();

    private async Task<ShardTaking> TakeOnceAsync(LeaseKey key, string member, CancellationToken cancellation)
    {
        NpgsqlConnection connection = await source.OpenConnectionAsync(cancellation).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            NpgsqlCommand take = new("SELECT r_status, r_epoch, r_holder FROM agentmesh.take($1, $2, $3)", connection);
            await using (take.ConfigureAwait(false))
            {
                take.Parameters.AddRange((NpgsqlParameter[])[PostgresReads.Text(key.Home), PostgresReads.Text(key.Shard), PostgresReads.Text(member)]);
                NpgsqlDataReader row = await take.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
                await using (row.ConfigureAwait(false))
                {
                    Errors.Invariant.Check(await row.ReadAsync(cancellation).ConfigureAwait(false));
                    var status = (ShardTakingStatus)row.GetInt32(0);
                    return new ShardTaking(status, status == ShardTakingStatus.Taken ? row.GetInt64(1) : 0, status == ShardTakingStatus.HeldByAnother ? row.GetString(2) : "");
                }
            }
        }
    }

    /// <exception cref="Errors.MeshException"><c>AM0450</c></exception>
    private async Task<int> ExecuteAsync(string sql, NpgsqlParameter[] parameters, CancellationToken cancellation)
    {
        try
        {
            NpgsqlConnection connection = await source.OpenConnectionAsync(cancellation).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                NpgsqlCommand command = new(sql, connection);
                await using (command.ConfigureAwait(false))
                {
                    command.Parameters.AddRange(parameters);
                    return await command.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
                }
            }
        }
        catch (Exception error) when (PostgresProblems.IsOne(error) || error is OperationCanceledException)
        {
            throw PostgresProblems.Unreachable(error, place);
        }
    }

    private NpgsqlParameter LeaseMilliseconds() => PostgresReads.Number((long)settings.Lease.TotalMilliseconds);

    private static NpgsqlParameter Texts(IEnumerable<string> values) => new NpgsqlParameter<string[]> { TypedValue = [.. values] };
}
