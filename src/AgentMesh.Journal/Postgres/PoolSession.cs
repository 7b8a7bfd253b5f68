using System.Collections.Concurrent;
using AgentMesh.Errors;
using AgentMesh.Journal.Postgres;

namespace AgentMesh.Journal;

/// <summary>
/// What one actor system is to a pool: a member, and the owner of the shards that this member has taken. A shard is taken before the first read of a
/// recovery, and every write carries the epoch of that taking. A member that loses its lease owns nothing, and joins again as another one.
/// </summary>
/// <remarks>Thread-safe.</remarks>
public sealed class PoolSession : IAsyncDisposable
{
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMilliseconds(200);

    private readonly PostgresSettings _settings;
    private readonly IPoolLeases _leases;
    private readonly string _place;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<LeaseKey, Holding> _holdings = new();
    private readonly ConcurrentDictionary<LeaseKey, SemaphoreSlim> _taking = new();

    /// <summary>
    /// Takings that were not answered, and since when: the database may have this member for the owner, or get the question later still, when the shard was taken again and even given back. No more
    /// than there are shards.
    /// </summary>
    private readonly ConcurrentDictionary<LeaseKey, long> _unanswered = new();
    private readonly PoolMembership _membership;

    internal PoolSession(PostgresSettings settings, IPoolLeases leases, string place, TimeProvider time)
    {
        _settings = settings;
        _leases = leases;
        _place = place;
        _time = time;
        _membership = new PoolMembership(settings, leases, place, Forget, time);
    }

    /// <summary>The lease was lost, or the member has left: what it owned may have another owner now. Called once for each loss, on a pool thread.</summary>
    public event Action? Lost
    {
        add => _membership.Lost += value;
        remove => _membership.Lost -= value;
    }

    /// <summary>The lease of another member has run out, or it has left: its shards can be taken now. On a pool thread.</summary>
    public event Action? MemberGone
    {
        add => _membership.MemberGone += value;
        remove => _membership.MemberGone -= value;
    }

    /// <summary>Whether this member may act as the owner of what it holds.</summary>
    public bool IsLive => _membership.IsLive;

    /// <summary>Why this member is none at the moment; null while it is one.</summary>
    public MeshException? Problem => _membership.Problem;

    /// <summary>What it holds, with the epochs.</summary>
    public IReadOnlyDictionary<LeaseKey, long> Holdings => _holdings.ToDictionary(each => each.Key, each => each.Value.Epoch);

    /// <summary>What the database may have this member for the owner of: what it holds, and what it asked for without hearing the answer.</summary>
    public IReadOnlySet<LeaseKey> Claims => _holdings.Keys.Concat(_unanswered.Keys).ToHashSet();

    /// <summary>
    /// Whether the device has a member whose lease runs, as far as this one knows. Where it does not know, it asks: the answer is another one soon after,
    /// should the device have just joined.
    /// </summary>
    public bool IsMember(string device) => _membership.Has(device);

    /// <summary>The shards that other members own, as the database has it now.</summary>
    /// <exception cref="MeshException"><c>AM0450</c> the database is away, <c>AM0452</c> this member has no lease.</exception>
    public async Task<IReadOnlySet<LeaseKey>> HeldByOthersAsync(CancellationToken cancellation = default)
    {
        await _membership.Answered.WaitAsync(cancellation).ConfigureAwait(false);
        if (Problem is { } problem)
        {
            throw problem;
        }

        return await _leases.HeldAsync(_membership.Id, cancellation).ConfigureAwait(false);
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

    /// <summary>
    /// Gives shards back that are not hosted here any more, so that their next owner need not wait. One of <see cref="Claims"/> whose taking was not answered stays among them for a while, since the
    /// question itself may come to the database late.
    /// </summary>
    /// <exception cref="MeshException"><c>AM0450</c>: they are held as before.</exception>
    public async Task ReleaseAsync(IReadOnlyCollection<LeaseKey> keys)
    {
        LeaseKey[] held = [.. keys.Where(key => _holdings.ContainsKey(key) || _unanswered.ContainsKey(key))];
        if (held.Length == 0)
        {
            return;
        }

        await _leases.ReleaseAsync(_membership.Id, held, _membership.Left).ConfigureAwait(false);
        foreach (LeaseKey key in held)
        {
            _holdings.TryRemove(key, out _);
            if (_unanswered.TryGetValue(key, out long since) && _time.GetElapsedTime(since) >= _settings.AppendTimeout)
            {
                _unanswered.TryRemove(new KeyValuePair<LeaseKey, long>(key, since));
            }
        }
    }

    /// <summary>Leaves the pool: its shards are free at once, where the database can be told.</summary>
    public ValueTask DisposeAsync() => _membership.DisposeAsync();

    /// <summary>The member that it is now, or was last; another one after each loss.</summary>
    internal string MemberId => _membership.Id;

    /// <summary>As <see cref="OwnAsync"/>, without waiting for another owner.</summary>
    /// <returns>Null when it is owned.</returns>
    internal async Task<MeshException?> TryOwnAsync(LeaseKey key, CancellationToken cancellation)
    {
        await _membership.Answered.WaitAsync(cancellation).ConfigureAwait(false);
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

    /// <summary>
    /// The database has refused a write: the shard has another owner now, or was taken anew, perhaps by a question of this member that came there late.
    /// </summary>
    /// <param name="epoch">The newest one there; this member's own newer ones stay.</param>
    internal void Overtaken(LeaseKey key, long epoch)
    {
        if (_holdings.TryGetValue(key, out Holding holding) && holding.Epoch < epoch)
        {
            _holdings.TryRemove(new KeyValuePair<LeaseKey, Holding>(key, holding));
            _unanswered[key] = _time.GetTimestamp();
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

        string member = _membership.Id;
        bool isAnswered = false;
        try
        {
            ShardTaking taking = await _leases.TakeAsync(key, member, cancellation).ConfigureAwait(false);
            isAnswered = true;
            switch (taking.Status)
            {
                case ShardTakingStatus.Taken:
                    return Hold(key, member, taking.Epoch);
                case ShardTakingStatus.HeldByAnother:
                    return new MeshException(
                        JournalErrors.ShardHeld, $"shard {key.Shard} of the pool '{key.Home}' belongs to {taking.Holder}, which is alive", "ask there, or wait until it has left; 'agentmesh status' shows the members of the pool");
                default:
                    MeshException gone = _membership.Gone();
                    _membership.Lose(gone);
                    return gone;
            }
        }
        catch (Exception error) when (PostgresProblems.IsOne(error) && !cancellation.IsCancellationRequested)
        {
            _leases.ForgetConnections();
            return PostgresProblems.Unreachable(error, _place);
        }
        finally
        {
            if (!isAnswered)
            {
                _unanswered[key] = _time.GetTimestamp();
            }
        }
    }

    private void Forget()
    {
        _holdings.Clear();
        _unanswered.Clear();
    }

    /// <remarks>The lease may have been lost on the way; what was taken then belongs to a member that is no more.</remarks>
    private MeshException? Hold(LeaseKey key, string member, long epoch) =>
        _membership.TryAs(member, () => _holdings[key] = new Holding(epoch, false)) ? null : _membership.Gone();

    private readonly record struct Holding(long Epoch, bool IsDoubtful);
}
