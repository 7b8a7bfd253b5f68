using System.Threading.Channels;

namespace AgentMesh.Journal.Tests.Postgres;

/// <summary>How a member that has lost its lease joins again.</summary>
public sealed class PoolMembershipTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);

    /// <summary>More than any machine needs: what is at stake passes in a <see cref="ManualTime"/>.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task One_that_joins_again_and_hears_nothing_tries_anew_after_half_a_lease()
    {
        var time = new ManualTime();
        var joins = Channel.CreateUnbounded<(CancellationToken Cancellation, TimeSpan At)>();
        var leases = new FakeLeases();
        await using var session = new PoolSession(new PostgresSettings { Pool = "p", ConnectionString = "", Device = "a", Lease = Lease }, leases, "here", time);
        await UntilAsync(() => session.IsLive);

        leases.Joining = cancellation =>
        {
            joins.Writer.TryWrite((cancellation, Now()));
            return Task.Delay(Timeout.Infinite, cancellation);
        };
        leases.Renewing = static () => false;
        (CancellationToken first, TimeSpan began) = await NextJoinAsync();
        time.Advance(began + (Lease / 2) - TimeSpan.FromSeconds(1) - Now());
        Assert.False(first.IsCancellationRequested);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(first.IsCancellationRequested);

        leases.Joining = static _ => Task.CompletedTask;
        await UntilAsync(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            return session.IsLive;
        });

        TimeSpan Now() => time.GetElapsedTime(0);

        async Task<(CancellationToken Cancellation, TimeSpan At)> NextJoinAsync()
        {
            (CancellationToken Cancellation, TimeSpan At) join = default;
            await UntilAsync(() =>
            {
                time.Advance(TimeSpan.FromMilliseconds(100));
                return joins.Reader.TryRead(out join);
            });
            return join;
        }
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!holds())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < Patience, "it did not happen");
            await Task.Delay(5);
        }
    }
}
