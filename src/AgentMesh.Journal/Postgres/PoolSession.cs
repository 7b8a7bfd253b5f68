using System.Collections.Concurrent;
using System.Security.Cryptography;
using AgentMesh.Errors;
using AgentMesh.Journal.Postgres;
using Npgsql;

namespace AgentMesh.Journal;

/// <summary>
/// The membership of one actor system in a pool: a row with a lease that is renewed by the clock of the database, and the shards that this member has taken.
/// A shard is taken before the first read of a recovery, and every write carries the epoch of that taking.
/// </summary>
/// <remarks>
/// <code>
/// Joining --row written--> Member --not renewed in time, or the row is gone--> Joining (under a new member id, owning nothing)
/// any --disposed--> Left
/// </code>
/// What this member believes errs on the safe side: its lease counts from before the renewal was sent. Thread-safe.
/// </remarks>
public sealed class PoolSession : IAsyncDisposable
{
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan JoinWithin = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LeaveWithin = TimeSpan.FromSeconds(2);

    private readonly PostgresSettings _settings;
    private readonly NpgsqlDataSource _source;
    private readonly string _place;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<LeaseKey, Holding> _holdings = new();
    private readonly ConcurrentDictionary<LeaseKey, SemaphoreSlim> _taking = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ITimer _expiry;
    private readonly Task _keeping;
    private IReadOnlySet<string> _devices = new HashSet<string>();
    private long _devicesReadAt;
    private string _memberId = "";
    private long _validUntil;
    private bool _isMember;
    private MeshException? _problem;

    internal PoolSession(PostgresSettings settings, NpgsqlDataSource source, string place, TimeProvider time)
    {
        _settings = settings;
        _source = source;
        _place = place;
        _time = time;
        _expiry = time.CreateTimer(_ => Expire(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _keeping = Task.Run(KeepAsync);
    }

    /// <summary>The lease was lost, or the member has left: what it owned may have another owner now. Called once for each loss, on a pool thread.</summary>
    public event Action? Lost;

    /// <summary>The lease of another member has run out, or it has left: its shards can be taken now. On a pool thread.</summary>
    public event Action? MemberGone;

    /// <summary>Whether this member may act as the owner of what it holds.</summary>
    public bool IsLive
    {
        get
        {
            lock (_gate)
            {
                return _isMember && _time.GetTimestamp() < _validUntil;
            }
        }
    }

    /// <summary>Why this member is none at the moment; null while it is one.</summary>
    public MeshException? Problem => IsLive ? null : _problem ?? new MeshException(JournalErrors.LeaseLost, $"{_place}: this member is still joining the pool '{_settings.Pool}'", "try again in a moment");

    /// <summary>What it holds, with the epochs.</summary>
    public IReadOnlyDictionary<LeaseKey, long> Holdings => _holdings.ToDictionary(each => each.Key, each => each.Value.Epoch);

    /// <summary>
    /// Whether the device has a member whose lease runs, as far as this one knows. Where it does not know, it asks: the answer is another one soon after,
    /// should the device have just joined.
    /// </summary>
    public bool IsMember(string device)
    {
        if (Volatile.Read(ref _devices).Contains(device))
        {
            return true;
        }

        if (_time.GetElapsedTime(Volatile.Read(ref _devicesReadAt)) >= LookAgainAfter && !_stop.IsCancellationRequested)
        {
            Volatile.Write(ref _devicesReadAt, _time.GetTimestamp());
            _ = Task.Run(async () => await ReadDevicesAsync(_stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing));
        }

        return false;
    }

    /// <summary>Makes this member the owner of the shard of an entity, and waits while another one is.</summary>
    /// <exception cref="MeshException"><c>AM0450</c> the database is away, <c>AM0452</c> no lease, <c>AM0453</c> another member holds the shard and is alive.</exception>
    public async Task OwnAsync(LeaseKey key, CancellationToken cancellation = default)
    {
        if (IsSettled(key))
        {
            return;
        }

        long began = _time.GetTimestamp();
        while (await TryOwnAsync(key, cancellation).ConfigureAwait(false) is { } refusal)
        {
            if (_time.GetElapsedTime(began) >= _settings.TakeTimeout)
            {
                throw refusal;
            }

            await Task.Delay(LookAgainAfter, _time, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Gives shards back that are not hosted here any more, so that their next owner need not wait.</summary>
    /// <exception cref="MeshException"><c>AM0450</c>: they are held as before.</exception>
    public async Task ReleaseAsync(IReadOnlyCollection<LeaseKey> keys)
    {
        LeaseKey[] held = [.. keys.Where(_holdings.ContainsKey)];
        if (held.Length == 0)
        {
            return;
        }

        await ExecuteAsync(
            "UPDATE agentmesh.shards s SET member_id = NULL FROM unnest($2::text[], $3::text[]) AS k(home, shard) WHERE s.home = k.home AND s.shard = k.shard AND s.member_id = $1",
            [PostgresReads.Text(_memberId), Texts(held.Select(key => key.Home)), Texts(held.Select(key => key.Shard))],
            _stop.Token).ConfigureAwait(false);
        foreach (LeaseKey key in held)
        {
            _holdings.TryRemove(key, out _);
        }
    }

    /// <summary>Leaves the pool: its shards are free at once, where the database can be told.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        await _keeping.ConfigureAwait(false);
        await _expiry.DisposeAsync().ConfigureAwait(false);
        _answered.TrySetResult();
        Lose(new MeshException(JournalErrors.Closed, $"this member has left the pool '{_settings.Pool}'"));
        using CancellationTokenSource late = new(LeaveWithin, _time);
        try
        {
            await ExecuteAsync("DELETE FROM agentmesh.members WHERE member_id = $1", [PostgresReads.Text(_memberId)], late.Token).ConfigureAwait(false);
        }
        catch (MeshException)
        {
            // The lease runs out by itself.
        }
    }

    /// <summary>As <see cref="OwnAsync"/>, without waiting for another owner.</summary>
    /// <returns>Null when it is owned.</returns>
    internal async Task<MeshException?> TryOwnAsync(LeaseKey key, CancellationToken cancellation)
    {
        await _answered.Task.WaitAsync(cancellation).ConfigureAwait(false);
        SemaphoreSlim turn = _taking.GetOrAdd(key, static _ => new SemaphoreSlim(1));
        await turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return IsSettled(key) ? null : await TryTakeAsync(key, cancellation).ConfigureAwait(false);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>The epoch that a write to the shard carries now; null where this member does not own it.</summary>
    internal long? EpochOf(LeaseKey key) => IsLive && _holdings.TryGetValue(key, out Holding holding) ? holding.Epoch : null;

    /// <summary>A write to the shard may or may not be stored: who reads next takes the shard anew, which waits until that is decided.</summary>
    internal void Doubt(LeaseKey key)
    {
        if (_holdings.TryGetValue(key, out Holding holding))
        {
            _holdings.TryUpdate(key, holding with { IsDoubtful = true }, holding);
        }
    }

    /// <summary>The database has refused a write: the shard has another owner now, or is taken anew.</summary>
    /// <param name="epoch">The newest one there; this member's own newer ones stay.</param>
    internal void Overtaken(LeaseKey key, long epoch)
    {
        if (_holdings.TryGetValue(key, out Holding holding) && holding.Epoch < epoch)
        {
            _holdings.TryRemove(new KeyValuePair<LeaseKey, Holding>(key, holding));
        }
    }

    private bool IsSettled(LeaseKey key) => IsLive && _holdings.TryGetValue(key, out Holding holding) && !holding.IsDoubtful;

    /// <returns>Null when it is owned.</returns>
    private async Task<MeshException?> TryTakeAsync(LeaseKey key, CancellationToken cancellation)
    {
        if (Problem is { } problem)
        {
            return problem;
        }

        string member = _memberId;
        try
        {
            (int status, long epoch, string holder) = await PostgresProblems.OverFreshAsync(_source, () => TakeAsync(key, member, cancellation)).ConfigureAwait(false);
            switch (status)
            {
                case 0:
                    return Hold(key, member, epoch);
                case 1:
                    return new MeshException(
                        JournalErrors.ShardHeld, $"shard {key.Shard} of the pool '{key.Home}' belongs to {holder}, which is alive", "ask there, or wait until it has left; 'agentmesh status' shows the members of the pool");
                default:
                    Lose(Gone());
                    return Gone();
            }
        }
        catch (Exception error) when (PostgresProblems.IsOne(error) && !cancellation.IsCancellationRequested)
        {
            _source.Clear();
            return PostgresProblems.Unreachable(error, _place);
        }
    }

    private async Task<(int Status, long Epoch, string Holder)> TakeAsync(LeaseKey key, string member, CancellationToken cancellation)
    {
        NpgsqlConnection connection = await _source.OpenConnectionAsync(cancellation).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            NpgsqlCommand take = new("SELECT r_status, r_epoch, r_holder FROM agentmesh.take($1, $2, $3)", connection);
            await using (take.ConfigureAwait(false))
            {
                take.Parameters.AddRange((NpgsqlParameter[])[PostgresReads.Text(key.Home), PostgresReads.Text(key.Shard), PostgresReads.Text(member)]);
                NpgsqlDataReader row = await take.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
                await using (row.ConfigureAwait(false))
                {
                    Invariant.Check(await row.ReadAsync(cancellation).ConfigureAwait(false));
                    int status = row.GetInt32(0);
                    return (status, status == 0 ? row.GetInt64(1) : 0, status == 1 ? row.GetString(2) : "");
                }
            }
        }
    }

    private MeshException? Hold(LeaseKey key, string member, long epoch)
    {
        lock (_gate)
        {
            // The lease may have been lost on the way; what was taken then belongs to a member that is no more.
            if (!_isMember || member != _memberId)
            {
                return Gone();
            }

            _holdings[key] = new Holding(epoch, false);
            return null;
        }
    }

    private async Task KeepAsync()
    {
        TimeSpan pause = TimeSpan.Zero;
        while (!_stop.IsCancellationRequested)
        {
            await Task.Delay(pause, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_stop.IsCancellationRequested)
            {
                return;
            }

            Expire();

            // A renewal that hangs must leave time for others within the lease. One that joins has nothing to lose, and may have to create tables.
            using CancellationTokenSource late = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            late.CancelAfter(_isMember ? _settings.Lease / 4 : JoinWithin);
            try
            {
                await (_isMember ? RenewAsync(late.Token) : JoinAsync(late.Token)).ConfigureAwait(false);
                await ReadDevicesAsync(late.Token).ConfigureAwait(false);
                pause = _settings.Lease / 4;
            }
            catch (Exception error) when (PostgresProblems.IsOne(error) || error is OperationCanceledException or MeshException)
            {
                _problem = PostgresProblems.Unreachable(error, _place);
                pause = LookAgainAfter;
                _source.Clear();
            }

            _answered.TrySetResult();
        }
    }

    private async Task JoinAsync(CancellationToken cancellation)
    {
        await PostgresSchema.MigrateAsync(_source, _place, cancellation).ConfigureAwait(false);
        string old = _memberId;
        string member = $"{_settings.Device}/{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6))}";
        long sent = _time.GetTimestamp();
        await ExecuteAsync(
            """
            WITH gone AS (DELETE FROM agentmesh.members WHERE home = $2 AND (member_id = $6 OR expires_at < clock_timestamp() - interval '1 day'))
            INSERT INTO agentmesh.members (member_id, home, device, name, started_at, expires_at)
            VALUES ($1, $2, $3, $4, clock_timestamp(), clock_timestamp() + $5 * interval '1 millisecond')
            """,
            [PostgresReads.Text(member), PostgresReads.Text(_settings.Pool), PostgresReads.Text(_settings.Device), PostgresReads.Text(_settings.DeviceName), LeaseMilliseconds(), PostgresReads.Text(old)],
            cancellation).ConfigureAwait(false);
        lock (_gate)
        {
            _memberId = member;
            _isMember = true;
            _validUntil = sent + LeaseTicks();
            _problem = null;
        }

        _expiry.Change(_settings.Lease, Timeout.InfiniteTimeSpan);
    }

    private async Task RenewAsync(CancellationToken cancellation)
    {
        long sent = _time.GetTimestamp();
        int renewed = await ExecuteAsync(
            "UPDATE agentmesh.members SET expires_at = clock_timestamp() + $2 * interval '1 millisecond' WHERE member_id = $1 AND expires_at > clock_timestamp()",
            [PostgresReads.Text(_memberId), LeaseMilliseconds()],
            cancellation).ConfigureAwait(false);
        if (renewed == 0)
        {
            Lose(Gone());
            return;
        }

        lock (_gate)
        {
            _validUntil = Math.Max(_validUntil, sent + LeaseTicks());
            _problem = null;
        }

        _expiry.Change(_settings.Lease, Timeout.InfiniteTimeSpan);
    }

    private void Expire()
    {
        bool isOver;
        lock (_gate)
        {
            isOver = _isMember && _time.GetTimestamp() >= _validUntil;
        }

        if (isOver)
        {
            Lose(_problem ?? Gone());
        }
    }

    private async Task ReadDevicesAsync(CancellationToken cancellation)
    {
        IReadOnlyList<PoolMember> members = await PoolMembers.ReadAsync(_source, _settings.Pool, _place, cancellation).ConfigureAwait(false);
        IReadOnlySet<string> before = Volatile.Read(ref _devices);
        HashSet<string> now = members.Where(member => member.LeaseLeft > TimeSpan.Zero).Select(member => member.Device).ToHashSet(StringComparer.Ordinal);
        Volatile.Write(ref _devices, now);
        Volatile.Write(ref _devicesReadAt, _time.GetTimestamp());
        if (!before.IsSubsetOf(now))
        {
            MemberGone?.Invoke();
        }
    }

    private void Lose(MeshException why)
    {
        lock (_gate)
        {
            if (!_isMember)
            {
                return;
            }

            _isMember = false;
            _problem = why;
            _holdings.Clear();
        }

        Lost?.Invoke();
    }

    private async Task<int> ExecuteAsync(string sql, NpgsqlParameter[] parameters, CancellationToken cancellation)
    {
        try
        {
            NpgsqlConnection connection = await _source.OpenConnectionAsync(cancellation).ConfigureAwait(false);
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
            throw PostgresProblems.Unreachable(error, _place);
        }
    }

    private static NpgsqlParameter Texts(IEnumerable<string> values) => new NpgsqlParameter<string[]> { TypedValue = [.. values] };

    private NpgsqlParameter LeaseMilliseconds() => PostgresReads.Number((long)_settings.Lease.TotalMilliseconds);

    private long LeaseTicks() => (long)(_settings.Lease.TotalSeconds * _time.TimestampFrequency);

    private MeshException Gone() => new(JournalErrors.LeaseLost, $"the lease of this member of the pool '{_settings.Pool}' ran out before it was renewed", "it joins again by itself; see 'agentmesh doctor' when this repeats");

    private readonly record struct Holding(long Epoch, bool IsDoubtful);
}
