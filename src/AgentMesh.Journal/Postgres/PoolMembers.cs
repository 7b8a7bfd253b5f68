using Npgsql;

namespace AgentMesh.Journal.Postgres;

internal static class PoolMembers
{
    /// <summary>The shards of a pool that members own whose lease runs.</summary>
    /// <param name="butOf">A member whose own ones are left out.</param>
    public static async Task<IReadOnlySet<LeaseKey>> HeldAsync(NpgsqlDataSource source, string pool, string butOf, string place, CancellationToken cancellation)
    {
        try
        {
            return await PostgresProblems.OverFreshAsync(source, () => HeldAsync(source, pool, butOf, cancellation)).ConfigureAwait(false);
        }
        catch (Exception error) when (PostgresProblems.IsOne(error) && !cancellation.IsCancellationRequested)
        {
            throw PostgresProblems.Unreachable(error, place);
        }
    }

    private static async Task<IReadOnlySet<LeaseKey>> HeldAsync(NpgsqlDataSource source, string pool, string butOf, CancellationToken cancellation)
    {
        NpgsqlCommand command = source.CreateCommand(
            "SELECT s.shard FROM agentmesh.shards s JOIN agentmesh.members m ON m.member_id = s.member_id WHERE s.home = $1 AND m.member_id <> $2 AND m.expires_at > clock_timestamp()");
        await using (command.ConfigureAwait(false))
        {
            command.Parameters.AddRange((NpgsqlParameter[])[PostgresReads.Text(pool), PostgresReads.Text(butOf)]);
            NpgsqlDataReader rows = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
            await using (rows.ConfigureAwait(false))
            {
                HashSet<LeaseKey> held = [];
                while (await rows.ReadAsync(cancellation).ConfigureAwait(false))
                {
                    held.Add(new LeaseKey(pool, rows.GetString(0)));
                }

                return held;
            }
        }
    }

    public static async Task<IReadOnlyList<PoolMember>> ReadAsync(NpgsqlDataSource source, string pool, string place, CancellationToken cancellation)
    {
        try
        {
            return await PostgresProblems.OverFreshAsync(source, () => ReadAsync(source, pool, cancellation)).ConfigureAwait(false);
        }
        catch (Exception error) when (PostgresProblems.IsOne(error) && !cancellation.IsCancellationRequested)
        {
            throw PostgresProblems.Unreachable(error, place);
        }
    }

    private static async Task<IReadOnlyList<PoolMember>> ReadAsync(NpgsqlDataSource source, string pool, CancellationToken cancellation)
    {
        NpgsqlCommand command = source.CreateCommand(
            """
            SELECT m.member_id, m.device, m.name, m.started_at, extract(epoch FROM m.expires_at - clock_timestamp())::float8, count(s.shard), coalesce(max(s.epoch), 0)
            FROM agentmesh.members m LEFT JOIN agentmesh.shards s ON s.member_id = m.member_id
            WHERE m.home = $1 GROUP BY m.member_id ORDER BY m.started_at
            """);
        await using (command.ConfigureAwait(false))
        {
            command.Parameters.Add(PostgresReads.Text(pool));
            NpgsqlDataReader rows = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
            await using (rows.ConfigureAwait(false))
            {
                List<PoolMember> members = [];
                while (await rows.ReadAsync(cancellation).ConfigureAwait(false))
                {
                    members.Add(new PoolMember(
                        rows.GetString(0), rows.GetString(1), rows.GetString(2), rows.GetFieldValue<DateTimeOffset>(3), TimeSpan.FromSeconds(rows.GetDouble(4)), (int)rows.GetInt64(5), rows.GetInt64(6)));
                }

                return members;
            }
        }
    }
}
