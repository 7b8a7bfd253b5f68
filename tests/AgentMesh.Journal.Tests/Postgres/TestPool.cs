namespace AgentMesh.Journal.Tests.Postgres;

/// <summary>A member of a pool in this process.</summary>
internal sealed class TestPool : IAsyncDisposable
{
    private readonly List<StoreLease<PostgresEventStore>> _leases = [];

    public TestPool(string connectionString, string device = "d1", TimeSpan? lease = null, Func<PostgresSettings, PostgresSettings>? change = null)
    {
        PostgresSettings settings = new()
        {
            Pool = "h" + Path.GetRandomFileName()[..4],
            ConnectionString = connectionString,
            Device = device,
            DeviceName = device,
            Lease = lease ?? TimeSpan.FromSeconds(30),
            AppendTimeout = TimeSpan.FromMinutes(2),
            TakeTimeout = TimeSpan.FromSeconds(20),
        };
        Settings = change is null ? settings : change(settings);
        Pool = PostgresPool.Open(Settings, TimeProvider.System);
    }

    public PostgresSettings Settings { get; }

    public PostgresPool Pool { get; }

    /// <summary>A membership as an actor system has it; several can exist at a time.</summary>
    public PostgresEventStore NewStore()
    {
        StoreLease<PostgresEventStore> lease = Pool.Acquire(new object());
        _leases.Add(lease);
        return lease.Store;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (StoreLease<PostgresEventStore> lease in _leases)
        {
            await lease.Store.DisposeAsync();
            lease.Dispose();
        }

        await Pool.DisposeAsync();
    }
}
