using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster.Sharding;

namespace AgentMesh.EngineTests.Cluster;

/// <summary>The strategy of the least shards.</summary>
public sealed class AllocationStrategyTests : Actor.ActorTest
{
    private readonly IActorRef[] _regions;

    public AllocationStrategyTests() => _regions = [.. Enumerable.Range(0, 3).Select(i => ActorOf(PuppetProps(), $"region{i}"))];

    [Fact]
    public async Task A_new_shard_goes_to_the_region_with_the_fewest()
    {
        IShardAllocationStrategy strategy = Strategy(0, 1);

        Assert.Equal(_regions[1], await strategy.AllocateShard(_regions[0], "new", Shards(2, 1, 3)));
        Assert.Equal(_regions[2], await strategy.AllocateShard(_regions[0], "new", Shards(2, 1, 0)));
    }

    [Theory]
    [InlineData(3, 3, 3)]
    [InlineData(4, 3, 3)]
    [InlineData(1, 0, 1)]
    [InlineData(0, 0, 0)]
    public async Task What_is_balanced_stays(int first, int second, int third) =>
        Assert.Empty(await Strategy(0, 1).Rebalance(Shards(first, second, third), []));

    [Theory]
    [InlineData(9, 0, 0)]
    [InlineData(9, 9, 0)]
    [InlineData(2, 2, 0)]
    [InlineData(10, 4, 1)]
    [InlineData(100, 1, 1)]
    public async Task Moves_lead_to_a_balance_and_then_end(params int[] counts)
    {
        IShardAllocationStrategy strategy = Strategy(0, 1);
        var shards = Shards(counts);
        for (int round = 0; round < 20; round++)
        {
            IImmutableSet<string> moved = await strategy.Rebalance(shards, []);
            if (moved.Count == 0)
                break;
            Assert.True(round < 10, "it goes on and on");
            foreach ((IActorRef region, IImmutableList<string> own) in shards)
                shards = shards.SetItem(region, own.RemoveRange(moved));
            foreach (string shard in moved)
            {
                IActorRef home = await strategy.AllocateShard(_regions[0], shard, shards);
                shards = shards.SetItem(home, shards[home].Add(shard));
            }
        }

        Assert.True(shards.Values.Max(own => own.Count) - shards.Values.Min(own => own.Count) <= 1);
        Assert.Equal(counts.Sum(), shards.Values.Sum(own => own.Count));
    }

    [Theory]
    [InlineData(0, 0.1, 3)]
    [InlineData(2, 0.1, 2)]
    [InlineData(10, 0.1, 3)]
    [InlineData(0, 0.001, 1)]
    public async Task No_more_are_moved_at_a_time_than_the_limits_allow(int absolute, double relative, int most) =>
        Assert.Equal(most, (await Strategy(absolute, relative).Rebalance(Shards(30, 0, 0), [])).Count);

    [Fact]
    public async Task Nothing_is_moved_while_something_moves() =>
        Assert.Empty(await Strategy(0, 1).Rebalance(Shards(9, 0, 0), ImmutableHashSet.Create("0/0")));

    [Fact]
    public async Task The_oldest_shards_of_the_fullest_region_move_first() =>
        Assert.Equal(["0/0"], await Strategy(1, 1).Rebalance(Shards(5, 3, 0), []));

    private static IShardAllocationStrategy Strategy(int absolute, double relative) => ShardAllocationStrategy.LeastShardAllocationStrategy(absolute, relative);

    private ImmutableDictionary<IActorRef, IImmutableList<string>> Shards(params int[] counts) => _regions
        .Select((region, i) => KeyValuePair.Create(region, (IImmutableList<string>)Enumerable.Range(0, counts[i]).Select(n => $"{i}/{n}").ToImmutableList()))
        .ToImmutableDictionary();
}
