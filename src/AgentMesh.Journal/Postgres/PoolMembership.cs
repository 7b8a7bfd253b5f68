using System.Security.Cryptography;
using AgentMesh.Errors;

namespace AgentMesh.Journal.Postgres;

/// <summary>A row in the table of members with a lease that is renewed by the clock of the database.</summary>
/// <remarks>
/// <code>
/// Joining --row written--> Member --not renewed in time, or the row is gone--> Joining (under a new member id)
/// any --disposed--> Left
/// </code>
/// What it believes errs on the safe side: its lease counts from before the renewal was sent. Thread-safe.
/// </remarks>
internal sealed class PoolMembership : IAsyncDisposable
{
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan JoinWithin = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LeaveWithin = TimeSpan.FromSeconds(2);

    private readonly PostgresSettings _settings;
    private readonly IPoolLeases _leases;
    private readonly string _place;
    private readonly TimeProvider _time;
    private readonly Action _whenLost;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ITimer _expiry;
    private readonly Task _keeping;
    private IReadOnlySet<string> _devices = new HashSet<string>();
    private long _devicesReadAt;
    private string _id = "";
    private long _validUntil;
    private bool _isMember;
    private MeshException? _problem;

    /// <param name="whenLost">Forgets what was owned as this member; called before anybody can see that it is none any more.</param>
    public PoolMembership(PostgresSettings settings, IPoolLeases leases, string place, Action whenLost, TimeProvider time)
    {
        _settings = settings;
        _leases = leases;
        _place = place;
        _whenLost = whenLost;
        _time = time;
        _expiry = time.CreateTimer(_ => Expire(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _keeping = Task.Run(KeepAsync);
    }

    /// <inheritdoc cref="PoolSession.Lost"/>
    public event Action? Lost;

    /// <inheritdoc cref="PoolSession.MemberGone"/>
    public event Action? MemberGone;

    /// <inheritdoc cref="PoolSession.IsLive"/>
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

    /// <inheritdoc cref="PoolSession.Problem"/>
    public MeshException? Problem => IsLive ? null : _problem ?? new MeshException(JournalErrors.LeaseLost, $"{_place}: this member is still joining the pool '{_settings.Pool}'", "try again in a moment");

    /// <summary>Of the member that it is now; another one after each loss.</summary>
    public string Id => Volatile.Read(ref _id);

    /// <summary>Ends when the database has answered for the first time, or could not.</summary>
    public Task Answered => _answered.Task;

    /// <summary>Ends with the membership.</summary>
    public CancellationToken Left => _stop.Token;

    /// <inheritdoc cref="PoolSession.IsMember"/>
    public bool Has(string device)
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

    /// <summary>Acts, unless it is another member than this one, or none, by now.</summary>
    /// <returns>Whether it has acted.</returns>
    public bool TryAs(string member, Action act)
    {
        lock (_gate)
        {
            if (!_isMember || member != _id)
            {
                return false;
            }

            act();
            return true;
        }
    }

    public void Lose(MeshException why)
    {
        lock (_gate)
        {
            if (!_isMember)
            {
                return;
            }

            _isMember = false;
            _problem = why;
            _whenLost();
        }

        Lost?.Invoke();
    }

    public MeshException Gone() => new(JournalErrors.LeaseLost, $"the lease of this member of the pool '{_settings.Pool}' ran out before it was renewed", "it joins again by itself; see 'agentmesh doctor' when this repeats");

    /// <summary>Leaves the pool, where the database can be told.</summary>
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
            await _leases.LeaveAsync(_id, late.Token).ConfigureAwait(false);
        }
        catch (MeshException)
        {
            // The lease runs out by itself.
        }
    }

    /// <summary>
    /// A renewal that hangs must leave time for others within the lease, and one that joins again asks over another connection before long. Who joins for the first time may have to create tables.
    /// </summary>
    private TimeSpan Patience => _isMember ? _settings.Lease / 4 : _id.Length > 0 && _settings.Lease / 2 < JoinWithin ? _settings.Lease / 2 : JoinWithin;

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

            using CancellationTokenSource patience = new(Patience, _time);
            using CancellationTokenSource late = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, patience.Token);
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
                _leases.ForgetConnections();
            }

            _answered.TrySetResult();
        }
    }

    private async Task JoinAsync(CancellationToken cancellation)
    {
        await _leases.PrepareAsync(cancellation).ConfigureAwait(false);
        string old = _id;
        string member = $"{_settings.Device}/{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6))}";
        long sent = _time.GetTimestamp();
        await _leases.JoinAsync(member, old, cancellation).ConfigureAwait(false);
        lock (_gate)
        {
            _id = member;
            _isMember = true;
            _validUntil = sent + LeaseTicks();
            _problem = null;
        }

        _expiry.Change(_settings.Lease, Timeout.InfiniteTimeSpan);
    }

    private async Task RenewAsync(CancellationToken cancellation)
    {
        long sent = _time.GetTimestamp();
        if (!await _leases.RenewAsync(_id, cancellation).ConfigureAwait(false))
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
        IReadOnlyList<PoolMember> members = await _leases.MembersAsync(cancellation).ConfigureAwait(false);
        IReadOnlySet<string> before = Volatile.Read(ref _devices);
        HashSet<string> now = members.Where(member => member.LeaseLeft > TimeSpan.Zero).Select(member => member.Device).ToHashSet(StringComparer.Ordinal);
        Volatile.Write(ref _devices, now);
        Volatile.Write(ref _devicesReadAt, _time.GetTimestamp());
        if (!before.IsSubsetOf(now))
        {
            MemberGone?.Invoke();
        }
    }

    private long LeaseTicks() => (long)(_settings.Lease.TotalSeconds * _time.TimestampFrequency);
}
