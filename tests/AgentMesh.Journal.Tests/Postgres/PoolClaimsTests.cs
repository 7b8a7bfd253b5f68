using AgentMesh.Journal.Postgres;

namespace AgentMesh.Journal.Tests.Postgres;

/// <summary>Shards that the database has given to a member that did not hear of it: nobody else could have them for as long as it lives.</summary>
public sealed class PoolClaimsTests : IAsyncDisposable
{
    private static readonly LeaseKey Key = new("pool-p", "job/7");

    private readonly ManualTime _time = new();
    private readonly FakeLeases _leases = new();
    private readonly PoolSession _session;

    public PoolClaimsTests() =>
        _session = new PoolSession(new PostgresSettings { Pool = "p", ConnectionString = "", Device = "a", TakeTimeout = TimeSpan.Zero, Lease = TimeSpan.FromHours(1) }, _leases, "here", _time);

    public ValueTask DisposeAsync() => _session.DisposeAsync();

    [Fact]
    public async Task A_taking_that_was_not_answered_is_given_back()
    {
        _leases.Takes.Enqueue(null);
        await Assert.ThrowsAsync<Errors.MeshException>(() => _session.OwnAsync(Key));
        Assert.Empty(_session.Holdings);
        Assert.Equal([Key], _session.Claims);
        await _session.ReleaseAsync([Key]);
        Assert.Equal([Key], _leases.Released);
    }

    [Fact]
    public async Task It_is_given_back_again_since_the_question_itself_may_come_late_and_forgotten_in_the_end()
    {
        _leases.Takes.Enqueue(null);
        _leases.Takes.Enqueue(new ShardTaking(ShardTakingStatus.Taken, 2, ""));
        await Assert.ThrowsAsync<Errors.MeshException>(() => _session.OwnAsync(Key));
        await _session.OwnAsync(Key);
        await _session.ReleaseAsync([Key]);
        Assert.Empty(_session.Holdings);
        Assert.Equal([Key], _session.Claims);
        _time.Advance(TimeSpan.FromSeconds(9));
        await _session.ReleaseAsync([Key]);
        Assert.Equal([Key], _session.Claims);
        _time.Advance(TimeSpan.FromSeconds(1));
        await _session.ReleaseAsync([Key]);
        Assert.Empty(_session.Claims);
        Assert.Equal([Key, Key, Key], _leases.Released);
    }

    [Fact]
    public async Task A_write_that_was_refused_for_a_newer_epoch_may_have_been_overtaken_by_this_member_itself()
    {
        _leases.Takes.Enqueue(new ShardTaking(ShardTakingStatus.Taken, 2, ""));
        await _session.OwnAsync(Key);
        Assert.Equal([Key], _session.Claims);
        _session.Overtaken(Key, 3);
        Assert.Empty(_session.Holdings);
        Assert.Equal([Key], _session.Claims);
    }
}
