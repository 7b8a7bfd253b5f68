using System.Collections.Immutable;
using AgentMesh.Node.Pools;
using Akka.Actor;
using Akka.Cluster.Sharding;

namespace AgentMesh.Node.Tests.Pools;

/// <summary>Which member of a pool hosts a shard where some have no lease.</summary>
public sealed class LeasedAllocationTests
{
    private static readonly IActorRef[] Regions = [new Region("a"), new Region("b"), new Region("c")];

    private readonly HashSet<string> _leased = ["a", "b", "c"];
    private readonly LeasedAllocation _allocation;

    public LeasedAllocationTests() => _allocation = new LeasedAllocation(ShardAllocationStrategy.LeastShardAllocationStrategy(0, 0.5), at => _leased.Contains(at.Host!));

    [Fact]
    public async Task A_new_shard_goes_to_the_least_loaded_of_those_with_a_lease()
    {
        var now = Allocations(["1", "2"], ["3"], []);
        Assert.Equal(Regions[2], await _allocation.AllocateShard(Regions[0], "9", now));
        _leased.Remove("c");
        Assert.Equal(Regions[1], await _allocation.AllocateShard(Regions[0], "9", now));
    }

    [Fact]
    public async Task All_shards_of_one_that_has_none_are_moved_at_once_but_those_under_way()
    {
        _leased.Remove("b");
        Assert.Equal(["3", "5"], (await _allocation.Rebalance(Allocations(["1", "2"], ["3", "4", "5"], []), ["4"])).Order());
    }

    [Fact]
    public async Task Then_it_is_the_balance_of_the_others()
    {
        _leased.Remove("b");
        Assert.Equal(["1"], await BalanceAsync(Allocations(["1", "2"], [], [])));
    }

    [Fact]
    public async Task What_has_stranded_is_moved_at_each_look_and_the_balance_kept_at_every_fourth()
    {
        var now = Allocations(["1", "2", "3", "4"], ["5"], []);
        for (int look = 1; look <= 8; look++)
        {
            Assert.Equal(look % 4 == 0, (await _allocation.Rebalance(now, [])).Count > 0);
        }

        _leased.Remove("b");
        for (int look = 1; look <= 4; look++)
        {
            Assert.Equal(["5"], await _allocation.Rebalance(now, []));
        }
    }

    [Theory]
    [InlineData("a b c")]
    [InlineData("")]
    public async Task Where_all_have_a_lease_or_none_has_it_is_the_balance_alone(string leased)
    {
        _leased.Clear();
        _leased.UnionWith(leased.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Empty(await BalanceAsync(Allocations(["1", "2"], ["3"], ["4"])));
        Assert.Equal(["1"], await BalanceAsync(Allocations(["1", "2"], ["3"], [])));
        Assert.Equal(Regions[1], await _allocation.AllocateShard(Regions[0], "9", Allocations(["1", "2"], ["3"], ["4", "5"])));
    }

    /// <returns>What is moved at the look that is for the balance too.</returns>
    private async Task<IImmutableSet<string>> BalanceAsync(IImmutableDictionary<IActorRef, IImmutableList<string>> now)
    {
        for (int look = 1; look < 4; look++)
        {
            Assert.Empty(await _allocation.Rebalance(now, []));
        }

        return await _allocation.Rebalance(now, []);
    }

    private static ImmutableDictionary<IActorRef, IImmutableList<string>> Allocations(params ImmutableList<string>[] shards) =>
        Regions.Zip(shards).ToImmutableDictionary(each => each.First, each => (IImmutableList<string>)each.Second);

    private sealed class Region(string device) : MinimalActorRef
    {
        public override ActorPath Path { get; } = new RootActorPath(new Address("akka.mesh", "agentmesh", device, 1)) / "system" / "sharding-job-pool-lab";

        public override IActorRefProvider Provider => throw new NotSupportedException();
    }
}
