using System.Collections.Immutable;
using Akka.Cluster;
using Akka.Cluster.Membership;
using static AgentMesh.EngineTests.Cluster.GossipLab;

namespace AgentMesh.EngineTests.Cluster;

/// <summary>Whom a member takes for unreachable, and whom it watches.</summary>
public sealed class ReachabilityTests
{
    [Fact]
    public void Two_that_cannot_reach_each_other_each_see_the_other_unreachable()
    {
        Gossip gossip = Of(Up(0, 1), Up(1, 2)).Unreachable(0, 1).Unreachable(1, 0);

        Assert.Equal([Nodes[1]], gossip.From(0).Unreachable);
        Assert.Equal([Nodes[0]], gossip.From(1).Unreachable);
    }

    [Fact]
    public void What_one_cannot_reach_is_unreachable_for_all() =>
        Assert.Equal([Nodes[2]], Of(Up(0, 1), Up(1, 2), Up(2, 3)).Unreachable(1, 2).From(0).Unreachable);

    [Fact]
    public void Who_is_cut_off_from_all_does_not_make_all_look_cut_off()
    {
        Gossip gossip = Of(Up(0, 1), Up(1, 2), Up(2, 3), Up(3, 4)).Unreachable(3, 0, 1, 2).Unreachable(0, 3).Unreachable(1, 3);

        Assert.Equal([Nodes[3]], gossip.From(0).Unreachable);
        Assert.Equal([Nodes[3]], gossip.From(2).Unreachable);
        Assert.Equal(3, gossip.From(3).Unreachable.Count);
    }

    [Fact]
    public void Of_two_halves_each_sees_the_other_one_unreachable()
    {
        Gossip gossip = Of(Up(0, 1), Up(1, 2), Up(2, 3), Up(3, 4)).Unreachable(0, 2, 3).Unreachable(1, 2, 3).Unreachable(2, 0, 1).Unreachable(3, 0, 1);

        Assert.Equal([Nodes[2], Nodes[3]], gossip.From(1).Unreachable.Order());
        Assert.Equal([Nodes[0], Nodes[1]], gossip.From(2).Unreachable.Order());
    }

    [Fact]
    public void When_only_the_link_between_two_is_cut_a_third_sees_both_unreachable() =>
        Assert.Equal([Nodes[0], Nodes[1]], Of(Up(0, 1), Up(1, 2), Up(2, 3)).Unreachable(0, 1).Unreachable(1, 0).From(2).Unreachable.Order());

    [Fact]
    public void A_member_that_is_down_is_not_heard()
    {
        Gossip gossip = Of(Up(0, 1), Up(1, 2), Up(2, 3).Copy(MemberStatus.Down), Up(3, 4).Copy(MemberStatus.Down)).SeenByAll().Unreachable(2, 0, 1).Unreachable(3, 0, 1).Unreachable(0, 2, 3);

        Assert.True(gossip.From(0).IsConvergent);
        Assert.True(gossip.From(1).IsConvergent);
    }

    [Fact]
    public void The_later_row_of_an_observer_wins()
    {
        Reachability earlier = Reachability.Empty.With(Nodes[0], [Nodes[1]]), later = earlier.With(Nodes[0], []);

        Assert.Empty(earlier.Merge(later, _ => true).UnreachableFor(Nodes[0]));
        Assert.Empty(later.Merge(earlier, _ => true).UnreachableFor(Nodes[0]));
        Assert.Same(later, later.With(Nodes[0], []));
    }

    [Fact]
    public void Everybody_is_watched_by_as_many_as_configured_and_watches_as_many()
    {
        Gossip gossip = Of([.. Enumerable.Range(0, 50).Select(i => Up(i, i + 1))]);
        ImmutableHashSet<UniqueAddress>[] watched = [.. Enumerable.Range(0, 50).Select(i => HeartbeatRing.Pick(gossip, Nodes[i], 9, [], []))];

        Assert.All(watched, each => Assert.Equal(9, each.Count));
        Assert.All(Nodes.Take(50), node => Assert.Equal(9, watched.Count(each => each.Contains(node))));
    }

    [Fact]
    public void A_stretch_of_silent_neighbours_does_not_hide_the_next_one()
    {
        Gossip gossip = Of([.. Enumerable.Range(0, 50).Select(i => Up(i, i + 1))]);
        ImmutableHashSet<UniqueAddress> silent = [.. Nodes[1..10]];

        ImmutableHashSet<UniqueAddress> watched = HeartbeatRing.Pick(gossip, Nodes[0], 9, silent, silent);

        Assert.Equal(18, watched.Count);
        Assert.Contains(Nodes[10], watched);
    }

    [Fact]
    public void Whom_a_member_called_unreachable_it_goes_on_watching()
    {
        Gossip gossip = Of([.. Enumerable.Range(0, 50).Select(i => Up(i, i + 1))]);

        Assert.Contains(Nodes[40], HeartbeatRing.Pick(gossip, Nodes[0], 9, [Nodes[40]], [Nodes[40]]));
        Assert.DoesNotContain(Nodes[55], HeartbeatRing.Pick(gossip, Nodes[0], 9, [], [Nodes[55]]));
    }

    [Fact]
    public void Who_is_alone_watches_nobody() => Assert.Empty(HeartbeatRing.Pick(Of(Up(0, 1)), Nodes[0], 9, [], []));
}
