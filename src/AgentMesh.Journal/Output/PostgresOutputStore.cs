using System.Collections.Concurrent;
using AgentMesh.Errors;
using AgentMesh.Journal.Postgres;
using Npgsql;

namespace AgentMesh.Journal;

/// <summary>The output of the jobs of a pool, in its database in chunks of at most 256 KiB: every member can take it in, and every member can read it.</summary>
/// <remarks>Readers of this process are woken by its own appends at once, and look for those of other members every now and then.</remarks>
public sealed class PostgresOutputStore : IOutputStore, IAsyncDisposable
{
    private const int ChunkBytesMax = 256 * 1024;
    private const int TooLarge = 9;

    private static readonly TimeSpan LookAgainMin = TimeSpan.FromMilliseconds(40);
    private static readonly TimeSpan LookAgainMax = TimeSpan.FromMilliseconds(320);
    private static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(10);

    private readonly string _home;
    private readonly long _jobBytesMax;
    private readonly string _place;
    private readonly PostgresWriter _writer;
    private readonly NpgsqlDataSource _source;
    private readonly TimeProvider _time;
    private readonly ITimer _sweep;
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _changes = new(StringComparer.Ordinal);

    internal PostgresOutputStore(PostgresSettings settings, NpgsqlDataSource source, string place, long jobBytesMax, TimeSpan retained, TimeProvider time)
    {
        _home = settings.Pool;
        _jobBytesMax = jobBytesMax;
        _place = place;
        _source = source;
        _time = time;
        _writer = new PostgresWriter(settings, new PostgresWrites(source), place, session: null, time);
        _sweep = time.CreateTimer(_ => _ = SweepAsync(retained), null, SweepEvery, SweepEvery);
    }

    public async Task<OutputAppendResult> AppendAsync(OutputAddress address, long offset, ReadOnlyMemory<byte> data)
    {
        Invariant.Check(address.Attempt > 0 && address.JobId.Length > 0 && offset >= 0);

        // All of it is in the queue before anything is waited for: the next append of this caller comes behind it.
        List<Task<(int Status, long Length)>> pieces = [];
        int at = 0;
        do
        {
            // A copy: a write that is given up may still be on its way when its caller has the buffer back.
            byte[] piece = data.Slice(at, Math.Min(ChunkBytesMax, data.Length - at)).ToArray();
            pieces.Add(AppendPiece(address, offset + at, piece));
            at += piece.Length;
        }
        while (at < data.Length);

        (int Status, long Length) last = default;
        foreach (Task<(int Status, long Length)> piece in pieces)
        {
            last = await piece.ConfigureAwait(false);
            if (last.Status == TooLarge)
            {
                throw new MeshException(JournalErrors.OutputTooLarge, $"{address.JobId} has written more than {_jobBytesMax} bytes; the rest is not kept", "write less, or raise agentmesh.output.job-max");
            }

            if (last.Status != 0)
            {
                break;
            }
        }

        await ((Task)Task.WhenAll(pieces)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Tell(address.JobId);
        return new OutputAppendResult((OutputAppendStatus)last.Status, last.Length);
    }

    public async Task<OutputAppendStatus> StartAttemptAsync(string jobId, int attempt)
    {
        Invariant.Check(attempt > 0 && jobId.Length > 0);
        int current = await _writer.Enqueue(
            jobId,
            null,
            0,
            _ => Command("SELECT r_current FROM agentmesh.output_begin($1, $2, $3)", [PostgresReads.Text(jobId), PostgresReads.Text(_home), Int(attempt)]),
            row => row.GetInt32(0)).ConfigureAwait(false);
        Tell(jobId);
        return current > attempt ? OutputAppendStatus.OlderAttempt : OutputAppendStatus.Acknowledged;
    }

    public async Task<OutputAppendStatus> SetFinalLengthsAsync(string jobId, int attempt, IReadOnlyDictionary<OutputStreamKind, long> lengths)
    {
        Invariant.Check(attempt > 0 && jobId.Length > 0);
        OutputStreamKind[] streams = Enum.GetValues<OutputStreamKind>();
        int status = await _writer.Enqueue(
            jobId,
            null,
            0,
            _ => Command(
                "SELECT agentmesh.output_end($1, $2, $3, $4, $5)",
                [
                    PostgresReads.Text(jobId), PostgresReads.Text(_home), Int(attempt), new NpgsqlParameter<short[]> { TypedValue = [.. streams.Select(stream => (short)stream)] },
                    new NpgsqlParameter<long[]> { TypedValue = [.. streams.Select(stream => lengths.GetValueOrDefault(stream))] },
                ]),
            row => row.GetInt32(0)).ConfigureAwait(false);
        Tell(jobId);
        return (OutputAppendStatus)status;
    }

    public async ValueTask<OutputSlice> ReadAsync(OutputAddress address, long offset, int bytesMax, CancellationToken cancellation = default)
    {
        Invariant.Check(offset >= 0 && bytesMax >= 0);
        try
        {
            return await PostgresProblems.OverFreshAsync(_source, () => QueryAsync(address, offset, bytesMax, cancellation)).ConfigureAwait(false);
        }
        catch (Exception error) when (PostgresProblems.IsOne(error) && !cancellation.IsCancellationRequested)
        {
            throw PostgresProblems.Unreachable(error, _place);
        }
    }

    public async Task<OutputState> WaitForLengthAsync(OutputAddress address, long length, CancellationToken cancellation)
    {
        TimeSpan pause = LookAgainMin;
        while (true)
        {
            Task changed = _changes.GetOrAdd(address.JobId, static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            OutputState state = (await ReadAsync(address, 0, 0, cancellation).ConfigureAwait(false)).State;
            if (state.Length > length || state.IsComplete || state.CurrentAttempt > address.Attempt)
            {
                Tell(address.JobId);
                return state;
            }

            await Task.WhenAny(changed, Task.Delay(pause, _time, cancellation)).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
            pause = changed.IsCompleted ? LookAgainMin : pause + pause < LookAgainMax ? pause + pause : LookAgainMax;
        }
    }

    public async ValueTask DeleteAsync(string jobId)
    {
        await ExecuteAsync("DELETE FROM agentmesh.outputs WHERE job_id = $1", [PostgresReads.Text(jobId)]).ConfigureAwait(false);
        Tell(jobId);
    }

    /// <summary>Removes output that nobody has added to for so long. Every member does it; a hundred jobs at a time, so that none holds many locks.</summary>
    public async Task<int> RemoveOlderThanAsync(TimeSpan age)
    {
        int removed = 0;
        int count;
        do
        {
            count = await ExecuteAsync(
                """
                DELETE FROM agentmesh.outputs WHERE output_key IN (
                    SELECT output_key FROM agentmesh.outputs WHERE home = $1 AND written_at < clock_timestamp() - $2 * interval '1 millisecond' LIMIT 100 FOR UPDATE SKIP LOCKED)
                """,
                [PostgresReads.Text(_home), PostgresReads.Number((long)age.TotalMilliseconds)]).ConfigureAwait(false);
            removed += count;
        }
        while (count > 0);
        return removed;
    }

    public async ValueTask DisposeAsync()
    {
        await _sweep.DisposeAsync().ConfigureAwait(false);
        await _writer.DisposeAsync().ConfigureAwait(false);
        await _source.DisposeAsync().ConfigureAwait(false);
    }

    private Task<(int Status, long Length)> AppendPiece(OutputAddress address, long offset, byte[] piece) => _writer.Enqueue(
        address.JobId,
        null,
        piece.Length,
        _ => Command(
            "SELECT r_status, r_length FROM agentmesh.output_append($1, $2, $3, $4, $5, $6, $7)",
            [
                PostgresReads.Text(address.JobId), PostgresReads.Text(_home), Int(address.Attempt), Stream(address), PostgresReads.Number(offset),
                new NpgsqlParameter<byte[]> { TypedValue = piece }, PostgresReads.Number(_jobBytesMax),
            ]),
        row => (row.GetInt32(0), row.GetInt64(1)));

    private async Task<OutputSlice> QueryAsync(OutputAddress address, long offset, int bytesMax, CancellationToken cancellation)
    {
        NpgsqlBatch batch = _source.CreateBatch();
        await using (batch.ConfigureAwait(false))
        {
            batch.BatchCommands.Add(Command(
                """
                SELECT o.current_attempt, coalesce(s.length, 0), s.final_length
                FROM agentmesh.outputs o LEFT JOIN agentmesh.output_streams s ON s.output_key = o.output_key AND s.attempt = $2 AND s.stream = $3 WHERE o.job_id = $1
                """,
                Place(address)));
            if (bytesMax > 0)
            {
                batch.BatchCommands.Add(Command(
                    """
                    SELECT c.start_offset, c.data FROM agentmesh.outputs o JOIN agentmesh.output_chunks c ON c.output_key = o.output_key AND c.attempt = $2 AND c.stream = $3
                    WHERE o.job_id = $1 AND c.start_offset < $5 AND c.start_offset >= coalesce((
                        SELECT max(b.start_offset) FROM agentmesh.output_chunks b WHERE b.output_key = o.output_key AND b.attempt = $2 AND b.stream = $3 AND b.start_offset <= $4), 0)
                    ORDER BY c.start_offset
                    """,
                    [.. Place(address), PostgresReads.Number(offset), PostgresReads.Number(offset + bytesMax)]));
            }

            NpgsqlDataReader rows = await batch.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
            await using (rows.ConfigureAwait(false))
            {
                return await ReadAsync(rows, address, offset, bytesMax, cancellation).ConfigureAwait(false);
            }
        }
    }

    private async Task<OutputSlice> ReadAsync(NpgsqlDataReader rows, OutputAddress address, long offset, int bytesMax, CancellationToken cancellation)
    {
        if (!await rows.ReadAsync(cancellation).ConfigureAwait(false))
        {
            return new OutputSlice(offset, ReadOnlyMemory<byte>.Empty, default);
        }

        OutputState state = new(rows.GetInt64(1), await rows.IsDBNullAsync(2, cancellation).ConfigureAwait(false) ? null : rows.GetInt64(2), rows.GetInt32(0));
        int count = (int)Math.Min(bytesMax, Math.Max(0, state.Length - offset));
        if (count == 0 || !await rows.NextResultAsync(cancellation).ConfigureAwait(false))
        {
            return new OutputSlice(offset, ReadOnlyMemory<byte>.Empty, state);
        }

        byte[] data = new byte[count];
        int filled = 0;
        while (filled < count && await rows.ReadAsync(cancellation).ConfigureAwait(false))
        {
            long start = rows.GetInt64(0);
            byte[] chunk = rows.GetFieldValue<byte[]>(1);
            long skip = offset + filled - start;
            if (skip < 0 || skip >= chunk.Length)
            {
                break;
            }

            int take = (int)Math.Min(count - filled, chunk.Length - skip);
            chunk.AsSpan((int)skip, take).CopyTo(data.AsSpan(filled));
            filled += take;
        }

        // Either all of it was removed since the first row was read, or some of it is lost.
        return filled == count ? new OutputSlice(offset, data, state)
            : filled == 0 ? new OutputSlice(offset, ReadOnlyMemory<byte>.Empty, default)
            : throw new MeshException(JournalErrors.OutputDamaged, $"{_place}: output of {address.JobId} is missing at {offset + filled} of its {address.Stream} stream", "restore the database from a backup");
    }

    private void Tell(string jobId)
    {
        if (_changes.TryRemove(jobId, out TaskCompletionSource? changed))
        {
            changed.TrySetResult();
        }
    }

    private async Task SweepAsync(TimeSpan retained)
    {
        try
        {
            await RemoveOlderThanAsync(retained).ConfigureAwait(false);
        }
        catch (MeshException)
        {
            // The next sweep does it.
        }
    }

    private async Task<int> ExecuteAsync(string sql, NpgsqlParameter[] parameters)
    {
        try
        {
            return await PostgresProblems.OverFreshAsync(_source, async () =>
            {
                NpgsqlCommand command = _source.CreateCommand(sql);
                await using (command.ConfigureAwait(false))
                {
                    command.Parameters.AddRange(Array.ConvertAll(parameters, parameter => parameter.Clone()));
                    return await command.ExecuteNonQueryAsync().ConfigureAwait(false);
                }
            }).ConfigureAwait(false);
        }
        catch (Exception error) when (PostgresProblems.IsOne(error))
        {
            throw PostgresProblems.Unreachable(error, _place);
        }
    }

    private static NpgsqlParameter[] Place(OutputAddress address) => [PostgresReads.Text(address.JobId), Int(address.Attempt), Stream(address)];

    private static NpgsqlParameter Int(int value) => new NpgsqlParameter<int> { TypedValue = value };

    private static NpgsqlParameter Stream(OutputAddress address) => new NpgsqlParameter<short> { TypedValue = (short)address.Stream };

    private static NpgsqlBatchCommand Command(string sql, NpgsqlParameter[] parameters)
    {
        NpgsqlBatchCommand command = new(sql);
        command.Parameters.AddRange(parameters);
        return command;
    }
}
