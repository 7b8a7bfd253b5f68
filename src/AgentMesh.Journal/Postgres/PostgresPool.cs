using System.Runtime.CompilerServices;
using AgentMesh.Errors;
using AgentMesh.Journal.Postgres;
using Npgsql;

namespace AgentMesh.Journal;

/// <summary>
/// A pool as this process takes part in it: the connections, and for each actor system a membership. The plug-ins find it by its name, so that no
/// configuration that can be printed holds the connection string.
/// </summary>
public sealed class PostgresPool : IEntityIndex, IAsyncDisposable
{
    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, PostgresPool> Pools = new(StringComparer.Ordinal);

    private readonly PostgresSettings _settings;
    private readonly TimeProvider _time;
    private readonly NpgsqlDataSource _writes;
    private readonly NpgsqlDataSource _leases;
    private readonly NpgsqlDataSource _readers;
    private readonly PostgresReads _reads;
    private readonly ConditionalWeakTable<object, Shared> _stores = [];

    private PostgresPool(PostgresSettings settings, TimeProvider time)
    {
        Invariant.Check(settings.Lease >= TimeSpan.FromSeconds(1));
        Place = PostgresProblems.PlaceOf(settings.ConnectionString);
        _settings = settings;
        _time = time;

        // A writer that was stopped in the middle of a transaction must not keep the next owner waiting for its locks.
        int idle = (int)(settings.Lease / 2).TotalMilliseconds;
        // Npgsql 10.0.0 loses its place in the answers when a statement fails in a batch that it prepares by itself: the writer prepares its own.
        _writes = Source("writer", 4, $"-c idle_in_transaction_session_timeout={idle}", autoPrepare: 0);
        _leases = Source("leases", 4, $"-c lock_timeout={(int)settings.Lease.TotalMilliseconds}");
        _readers = Source("readers", settings.Readers, "-c default_transaction_read_only=on");
        _reads = new PostgresReads(_readers, Place);
    }

    public string Name => _settings.Pool;

    /// <summary>Database and host in words, without anything secret.</summary>
    public string Place { get; }

    /// <summary>Makes the pool known to the plug-ins of this process; it need not be reachable yet.</summary>
    /// <exception cref="MeshException"><c>AM0454</c>: the connection string cannot be read.</exception>
    public static PostgresPool Open(PostgresSettings settings, TimeProvider time)
    {
        PostgresPool pool = new(settings, time);
        lock (Gate)
        {
            Invariant.Check(Pools.TryAdd(KeyOf(settings.Pool, settings.Device), pool));
        }

        return pool;
    }

    /// <summary>The store of the actor system, which joins the pool when it is asked for first.</summary>
    /// <param name="owner">The actor system.</param>
    public StoreLease<PostgresEventStore> Acquire(object owner)
    {
        lock (Gate)
        {
            Shared shared = _stores.GetValue(owner, _ => NewStore());
            shared.Leases++;
            return new StoreLease<PostgresEventStore>(shared.Store, () => Release(owner, shared));
        }
    }

    /// <summary>The pool that was opened in this process under this name.</summary>
    /// <exception cref="MeshException"><c>AM0454</c>: none was.</exception>
    internal static PostgresPool Find(string name, string device)
    {
        lock (Gate)
        {
            return Pools.TryGetValue(KeyOf(name, device), out PostgresPool? pool)
                ? pool
                : throw new MeshException(JournalErrors.BadConnection, $"this node is no member of the pool '{name}'", "set agentmesh.pool.name and the connection of its database");
        }
    }

    /// <summary>What the jobs of the pool wrote. One for the process; dispose it before the pool.</summary>
    /// <param name="jobBytesMax">Size of the output of one job, all attempts together; more is refused (<c>AM0422</c>).</param>
    /// <param name="retained">Output is removed so long after its last piece came.</param>
    public PostgresOutputStore OpenOutput(long jobBytesMax, TimeSpan retained) => new(_settings, Source("output", _settings.Readers + 2, "", autoPrepare: 0), Place, jobBytesMax, retained, _time);

    /// <summary>The files that the jobs of the pool left behind. One for the process; dispose it before the pool.</summary>
    /// <param name="settings">The same on all members: each applies its own.</param>
    public PostgresArtifactStore OpenArtifacts(ArtifactStoreSettings settings, TimeProvider time) => new(_settings, Source("artifacts", _settings.Readers, ""), Place, settings, time);

    public Task<EntityPage> ListAsync(string prefix, long? before, int limit, CancellationToken cancellation = default) =>
        _reads.NewestFirstAsync(prefix, isRemoved: false, before, Math.Clamp(limit, 1, 10_000), cancellation);

    public Task<EntityPage> RemovedAsync(string prefix, long? before, int limit, CancellationToken cancellation = default) =>
        _reads.NewestFirstAsync(prefix, isRemoved: true, before, Math.Clamp(limit, 1, 10_000), cancellation);

    public Task<IReadOnlyList<EntitySummary>> OpenAsync(string prefix, IReadOnlySet<string> closedManifests, int limit, CancellationToken cancellation = default, Func<string, bool>? wanted = null) =>
        _reads.WithOpenEndAsync(prefix, closedManifests, limit, wanted, cancellation);

    public Task<IReadOnlyList<StoredEvent>> EventsAsync(string persistenceId, long from, int max, CancellationToken cancellation = default) =>
        _reads.EventsAsync(persistenceId, from, max, cancellation);

    /// <summary>Who is, or lately was, a member, as the database tells it.</summary>
    /// <exception cref="MeshException"><c>AM0450</c></exception>
    public Task<IReadOnlyList<PoolMember>> MembersAsync(CancellationToken cancellation) => PoolMembers.ReadAsync(_readers, Name, Place, cancellation);

    /// <summary>Closes the connections; the actor systems that used them must have ended.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (Gate)
        {
            Pools.Remove(KeyOf(_settings.Pool, _settings.Device));
        }

        await _writes.DisposeAsync().ConfigureAwait(false);
        await _leases.DisposeAsync().ConfigureAwait(false);
        await _readers.DisposeAsync().ConfigureAwait(false);
    }

    private static string KeyOf(string pool, string device) => $"{pool}/{device}";

    private Shared NewStore()
    {
        PoolSession session = new(_settings, _leases, Place, _time);
        return new Shared(new PostgresEventStore(_settings, _writes, _readers, Place, session, _time));
    }

    private void Release(object owner, Shared shared)
    {
        lock (Gate)
        {
            if (--shared.Leases == 0)
            {
                _stores.Remove(owner);
                shared.Ending = Task.Run(async () => await shared.Store.DisposeAsync().ConfigureAwait(false));
            }
        }
    }

    private NpgsqlDataSource Source(string use, int connections, string options, int autoPrepare = 32)
    {
        NpgsqlConnectionStringBuilder parts = new(_settings.ConnectionString)
        {
            ApplicationName = $"agentmesh {use}",
            MaxPoolSize = connections,
            MinPoolSize = 0,
            MaxAutoPrepare = autoPrepare,
            AutoPrepareMinUsages = 2,
            Multiplexing = false,
            Enlist = false,
            IncludeErrorDetail = false,
            PersistSecurityInfo = false,
            CommandTimeout = (int)Math.Ceiling(_settings.AppendTimeout.TotalSeconds),
            Timeout = (int)Math.Clamp(Math.Ceiling(_settings.Lease.TotalSeconds), 1, 15),
        };
        parts.Options = $"{parts.Options} {options}".Trim();
        return NpgsqlDataSource.Create(parts);
    }

    private sealed class Shared(PostgresEventStore store)
    {
        public PostgresEventStore Store { get; } = store;

        public int Leases { get; set; }

        public Task? Ending { get; set; }
    }
}
