using AgentMesh.Journal.Postgres;
using Npgsql;

namespace AgentMesh.Journal.Tests.Postgres;

/// <summary>The part of a pool's database that knows members and shards, as a test lets it answer.</summary>
internal sealed class FakeLeases : IPoolLeases
{
    /// <summary>Null: no answer comes.</summary>
    public Queue<ShardTaking?> Takes { get; } = new();

    public List<LeaseKey> Released { get; } = [];

    public Func<CancellationToken, Task> Joining { get; set; } = static _ => Task.CompletedTask;

    /// <summary>False where the lease has run out.</summary>
    public Func<bool> Renewing { get; set; } = static () => true;

    public Task PrepareAsync(CancellationToken cancellation) => Task.CompletedTask;

    public Task JoinAsync(string member, string before, CancellationToken cancellation) => Joining(cancellation);

    public Task<bool> RenewAsync(string member, CancellationToken cancellation) => Task.FromResult(Renewing());

    public Task LeaveAsync(string member, CancellationToken cancellation) => Task.CompletedTask;

    public Task<IReadOnlyList<PoolMember>> MembersAsync(CancellationToken cancellation) => Task.FromResult<IReadOnlyList<PoolMember>>([]);

    public Task<IReadOnlySet<LeaseKey>> HeldAsync(string butOf, CancellationToken cancellation) => Task.FromResult<IReadOnlySet<LeaseKey>>(new HashSet<LeaseKey>());

    public Task<ShardTaking> TakeAsync(LeaseKey key, string member, CancellationToken cancellation) =>
        Takes.Dequeue() is { } answer ? Task.FromResult(answer) : Task.FromException<ShardTaking>(new NpgsqlException("the connection was reset", new IOException()));

    public Task ReleaseAsync(string member, IReadOnlyList<LeaseKey> keys, CancellationToken cancellation)
    {
        Released.AddRange(keys);
        return Task.CompletedTask;
    }

    public void ForgetConnections()
    {
    }
}
