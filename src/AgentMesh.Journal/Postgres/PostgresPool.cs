using System.Runtime.CompilerServices;
using AgentMesh.Errors;
using AgentMesh.Journal.Postgres;

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
    private readonly IPoolDatabase _database;
    private readonly ConditionalWeakTable<object, Shared> _stores = [];
    private readonly HashSet<Task> _endings = [];

    private PostgresPool(PostgresSettings settings, IPoolDatabase database, TimeProvider time)
    {
        Invariant.Check(settings.Lease >= TimeSpan.FromSeconds(1));
        _settings = settings;
        _database = database;
        _time = time;
    }

    public string Name => _settings.Pool;

    /// <summary>Database and host in words, without anything secret.</summary>
    public string Place => _database.Place;

    /// <summary>Makes the pool known to the plug-ins of this process; it need not be reachable yet.</summary>
    /// <exception cref="MeshException"><c>AM0454</c>: the connection string cannot be read.</exception>
    public static PostgresPool Open(PostgresSettings settings, TimeProvider time) => Open(settings, new PostgresDatabase(settings), time);

    /// <param name="database">Disposed with the pool.</param>
    internal static PostgresPool Open(PostgresSettings settings, IPoolDatabase database, TimeProvider time)
    {
        PostgresPool pool = new(settings, database, time);
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
    public PostgresOutputStore OpenOutput(long jobBytesMax, TimeSpan retained) => new(_settings, PostgresDatabase.Source(_settings, "output", _settings.Readers + 2, PostgresDatabase.NoIdling(_settings), autoPrepare: 0), Place, jobBytesMax, retained, _time);

    /// <summary>The files that the jobs of the pool left behind. One for the process; dispose it before the pool.</summary>
    /// <param name="settings">The same on all members: each applies its own.</param>
    public PostgresArtifactStore OpenArtifacts(ArtifactStoreSettings settings, TimeProvider time) => new(_settings, PostgresDatabase.Source(_settings, "artifacts", _settings.Readers, ""), Place, settings, time);

    public Task<EntityPage> ListAsync(string prefix, long? before, int limit, CancellationToken cancellation = default) =>
        _database.Reads.NewestFirstAsync(prefix, isRemoved: false, before, Math.Clamp(limit, 1, 10_000), cancellation);

    public Task<EntityPage> RemovedAsync(string prefix, long? before, int limit, CancellationToken cancellation = default) =>
        _database.Reads.NewestFirstAsync(prefix, isRemoved: true, before, Math.Clamp(limit, 1, 10_000), cancellation);

    public Task<IReadOnlyList<EntitySummary>> OpenAsync(string prefix, IReadOnlySet<string> closedManifests, int limit, CancellationToken cancellation = default, Func<string, bool>? wanted = null) =>
        _database.Reads.WithOpenEndAsync(prefix, closedManifests, limit, wanted, cancellation);

    public Task<IReadOnlyList<StoredEvent>> EventsAsync(string persistenceId, long from, int max, CancellationToken cancellation = default) =>
        _database.Reads.EventsAsync(persistenceId, from, max, cancellation);

    /// <summary>Who is, or lately was, a member, as the database tells it.</summary>
    /// <exception cref="MeshException"><c>AM0450</c></exception>
    public Task<IReadOnlyList<PoolMember>> MembersAsync(CancellationToken cancellation) => _database.MembersAsync(cancellation);

    /// <summary>Closes the connections, when the members have left that were to; the actor systems that used them must have ended.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] endings;
        lock (Gate)
        {
            Pools.Remove(KeyOf(_settings.Pool, _settings.Device));
            endings = [.. _endings];
        }

        // Without the connections nobody could be told, and their shards would be theirs until the lease ends.
        await Task.WhenAll(endings).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        await _database.DisposeAsync().ConfigureAwait(false);
    }

    private static string KeyOf(string pool, string device) => $"{pool}/{device}";

    private Shared NewStore()
    {
        PoolSession session = new(_settings, _database.Leases, Place, _time);
        return new Shared(new PostgresEventStore(_settings, _database, session, _time));
    }

    private void Release(object owner, Shared shared)
    {
        lock (Gate)
        {
            if (--shared.Leases == 0)
            {
                _stores.Remove(owner);
                Task ending = Task.Run(async () => await shared.Store.DisposeAsync().ConfigureAwait(false));
                _endings.RemoveWhere(each => each.IsCompleted);
                _endings.Add(ending);
            }
        }
    }

    private sealed class Shared(PostgresEventStore store)
    {
        public PostgresEventStore Store { get; } = store;

        public int Leases { get; set; }
    }
}
