using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster;
using Akka.Cluster.Membership;

namespace AgentMesh.EngineTests.Cluster;

/// <summary>The rules of gossip, without actors.</summary>
public sealed class GossipTests
{
    private static readonly UniqueAddress[] Nodes = [.. Enumerable.Range(0, 6).Select(i => new UniqueAddress(new Address("akka.test", "lab", $"n{i}", 1), i + 1))];

    [Fact]
    public void Merging_in_any_order_and_twice_leads_to_the_same()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            Gossip[] copies = [.. Enumerable.Range(0, 3).Select(_ => AnyGossip(random))];
            Gossip forward = copies[0].Merge(copies[1]).Merge(copies[2]), backward = copies[2].Merge(copies[1].Merge(copies[0]));

            Assert.True(Same(forward, backward), $"seed {seed}");
            Assert.True(Same(forward, forward.Merge(forward)), $"seed {seed}");
        }
    }

    [Fact]
    public void A_removed_member_does_not_come_back_from_an_old_copy()
    {
        Gossip old = Of(Up(0, 1), Up(1, 2));
        Gossip removed = old.Remove(Nodes[1], 5).ChangedBy(Nodes[0]);

        Assert.Null(removed.Merge(old.ChangedBy(Nodes[1])).Find(Nodes[1]));
    }

    [Fact]
    public void Convergence_needs_everybody_who_counts()
    {
        Gossip gossip = Of(Up(0, 1), Up(1, 2)).ChangedBy(Nodes[0]);
        Assert.False(gossip.IsConvergent(Nodes[0]));
        Assert.True(gossip.SeenAlsoBy(Nodes[1]).IsConvergent(Nodes[0]));
    }

    [Fact]
    public void An_unreachable_member_prevents_convergence_until_it_is_down()
    {
        Gossip gossip = Of(Up(0, 1), Up(1, 2)) with { SeenBy = [Nodes[0], Nodes[1]], Reachability = Reachability.Empty.With(Nodes[0], [Nodes[1]]) };

        Assert.False(gossip.IsConvergent(Nodes[0]));
        Assert.True(gossip.Put(Up(1, 2).Copy(MemberStatus.Down)).IsConvergent(Nodes[0]));
    }

    [Fact]
    public void The_leader_is_the_first_reachable_member_that_is_up()
    {
        Gossip gossip = Of(Up(0, 1), Up(1, 2), Up(2, 3)) with { Reachability = Reachability.Empty.With(Nodes[2], [Nodes[0]]) };

        Assert.Equal(Nodes[1], gossip.Leader(Nodes[2])!.UniqueAddress);
    }

    [Fact]
    public void The_leader_moves_members_on()
    {
        Gossip gossip = Of(Up(0, 1), Joining(1), Up(2, 2).Copy(MemberStatus.Leaving), Up(3, 3).Copy(MemberStatus.Exiting), Up(4, 4).Copy(MemberStatus.Down));

        Gossip next = LeaderActions.OnConvergence(gossip, 1, 0);

        Assert.Equal((MemberStatus.Up, 5), (next.Find(Nodes[1])!.Status, next.Find(Nodes[1])!.UpNumber));
        Assert.Equal(MemberStatus.Exiting, next.Find(Nodes[2])!.Status);
        Assert.Null(next.Find(Nodes[3]));
        Assert.Null(next.Find(Nodes[4]));
    }

    [Fact]
    public void Nobody_comes_up_before_there_are_enough() => Assert.Equal(MemberStatus.Joining, LeaderActions.OnConvergence(Of(Joining(0), Joining(1)), 3, 0).Find(Nodes[0])!.Status);

    [Theory]
    [InlineData(new long[] { 1, 0 }, new long[] { 1, 1 }, "Before")]
    [InlineData(new long[] { 2, 1 }, new long[] { 1, 1 }, "After")]
    [InlineData(new long[] { 1, 1 }, new long[] { 1, 1 }, "Same")]
    [InlineData(new long[] { 2, 0 }, new long[] { 1, 1 }, "Concurrent")]
    public void Vector_clocks_compare(long[] a, long[] b, string expected) => Assert.Equal(expected, Clock(a).CompareTo(Clock(b)).ToString());

    private static VectorClock Clock(long[] counts) => new(counts.Select((count, i) => (Nodes[i], count)).Where(pair => pair.count > 0).ToImmutableSortedDictionary(pair => pair.Item1, pair => pair.count));

    private static Member Joining(int node) => new(Nodes[node], Member.NotUpYet, MemberStatus.Joining, []);

    private static Member Up(int node, int number) => Joining(node).CopyUp(number);

    private static Gossip Of(params Member[] members) => Gossip.Empty with { Members = [.. members] };

    private static Gossip AnyGossip(Random random)
    {
        Gossip gossip = Gossip.Empty;
        foreach (UniqueAddress node in Nodes)
        {
            var status = (MemberStatus)random.Next(7);
            if (status == MemberStatus.Removed)
            {
                if (random.Next(3) == 0)
                    gossip = gossip.Remove(node, 9);
                continue;
            }

            gossip = gossip.Put(new Member(node, status is MemberStatus.Joining or MemberStatus.WeaklyUp ? Member.NotUpYet : node.Uid, status, []));
            for (int i = random.Next(3); i > 0; i--)
                gossip = gossip with { Version = gossip.Version.Next(node) };
        }

        return gossip;
    }

    private static bool Same(Gossip a, Gossip b) =>
        a.Members.Select(m => (m.UniqueAddress, m.Status)).SequenceEqual(b.Members.Select(m => (m.UniqueAddress, m.Status)))
        && a.Version.CompareTo(b.Version) == Ordering.Same && a.Tombstones.Keys.ToHashSet().SetEquals(b.Tombstones.Keys);
}
