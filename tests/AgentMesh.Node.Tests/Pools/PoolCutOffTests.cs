using AgentMesh.Journal.Tests.Postgres;

namespace AgentMesh.Node.Tests.Pools;

/// <summary>A member of a pool that the database is out of reach for, and the cluster is not.</summary>
public sealed class PoolCutOffTests
{
    private const int Jobs = 30;

    [SkippableTheory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task The_shards_of_a_member_that_cannot_reach_the_database_move_to_the_others_and_come_back_with_it(int member)
    {
        Skip.If(PostgresServer.WhyNot is not null, PostgresServer.WhyNot);
        using var server = new PostgresServer();
        await using var lab = new PoolLab(server, "akka.cluster.sharding.rebalance-interval = 500ms");
        for (int i = 0; i < 3; i++)
        {
            await lab.StartAsync();
        }

        // The first one is the coordinator: it decides about its own shards too.
        PoolLabMember cut = lab.Members[member];
        PoolLabMember[] others = [.. lab.Members.Where(each => each != cut)];
        await AcceptedAsync("before", lab.Members);
        await HasShardsAsync();

        cut.LosesTheDatabase();
        await AcceptedAsync("meanwhile", others);
        await ShownAsync("before", others);
        Assert.Equal(0, cut.Shards);

        cut.FindsTheDatabase();
        await AcceptedAsync("after", lab.Members);
        await ShownAsync("meanwhile", lab.Members);
        await HasShardsAsync();

        Task HasShardsAsync() => TestWait.UntilAsync(
            async () =>
            {
                // A shard that has moved is taken with the next message to it.
                await ShownAsync("before", lab.Members);
                return cut.Shards > 0;
            },
            "the member has shards");

        Task AcceptedAsync(string kind, IReadOnlyList<PoolLabMember> members) => Task.WhenAll(Enumerable.Range(0, Jobs).Select(i => PoolHandOffTests.AcceptedAsync(lab, kind, i, members, kind)));

        Task ShownAsync(string kind, IReadOnlyList<PoolLabMember> members) => Task.WhenAll(Enumerable.Range(0, Jobs).Select(i => PoolHandOffTests.ShownAsync(lab, kind, i, members, kind)));
    }
}
