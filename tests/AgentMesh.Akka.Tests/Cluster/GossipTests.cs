using System.Collections.Immutable;
using Akka.Cluster;
using Akka.Cluster.Membership;
using static AgentMesh.EngineTests.Cluster.GossipLab;

namespace AgentMesh.EngineTests.Cluster;

/// <summary>The rules of gossip, without actors.</summary>
public sealed class GossipTests
{
    [Fact]
    public void Merging_in_any_order_and_twice_leads_to_the_same()
    {
        for (int seed = 0; seed < 500; seed++)
        {
            Gossip[] copies = Copies(new Random(seed), 3);
            Gossip forward = copies[0].Merge(copies[1]).Merge(copies[2]), backward = copies[2].Merge(copies[1].Merge(copies[0]));

            Assert.True(forward.Text() == backward.Text(), $"seed {seed}:\n{forward.Text()}\n{backward.Text()}");
            Assert.True(forward.Text() == forward.Merge(forward).Text(), $"seed {seed}");
        }
    }

    [Fact]
    public void Two_who_write_to_each_other_at_the_same_time_come_to_an_end()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            Gossip[] state = Copies(new Random(seed), 2);
            Gossip?[] inFlight = [state[0], state[1]];
            int rounds = 0;
            for (; inFlight[0] is not null || inFlight[1] is not null; rounds++)
            {
                Assert.True(rounds < 10, $"seed {seed}: still writing");
                Exchange?[] received = [inFlight[1] is { } toFirst ? Exchange.Of(state[0], toFirst, Nodes[0]) : null, inFlight[0] is { } toSecond ? Exchange.Of(state[1], toSecond, Nodes[1]) : null];
                for (int i = 0; i < 2; i++)
                {
                    state[i] = received[i]?.Next ?? state[i];
                    inFlight[i] = received[i] is { TalkBack: true } ? state[i] : null;
                }
            }

            Assert.True(state[0].Text() == state[1].Text(), $"seed {seed}");
        }
    }

    [Fact]
    public void Members_that_exchange_at_random_end_with_the_same_seen_by_all()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            var random = new Random(seed);
            Gossip[] state = Copies(random, 5);
            for (int step = 0; step < 2000; step++)
            {
                if (step < 40)
                {
                    int busy = random.Next(5);
                    state[busy] = Change(state[busy], busy, random);
                }

                int from = random.Next(5), to = (from + random.Next(1, 5)) % 5;
                if (random.Next(4) > 0)
                    state[to] = Exchange.Of(state[to], state[from], Nodes[to]).Next;
            }

            Assert.True(state.All(each => each.Text() == state[0].Text()), $"seed {seed}:\n{string.Join('\n', state.Select(each => each.Text()))}");
            Assert.True(state.All(each => Enumerable.Range(0, 5).All(i => each.SeenBy.Contains(Nodes[i]) || each.Find(Nodes[i]) is null)), $"seed {seed}");
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
    public void What_a_member_did_before_it_was_removed_reaches_those_who_removed_it()
    {
        Gossip common = Of(Up(0, 1), Up(1, 2), Up(2, 3)).ChangedBy(Nodes[0]);
        Gossip letIn = common.Put(Joining(3)).ChangedBy(Nodes[2]);
        Gossip removed = common.Remove(Nodes[2], 5).ChangedBy(Nodes[0]);

        Gossip merged = letIn.Merge(removed);

        Assert.NotNull(merged.Find(Nodes[3]));
        Assert.Equal(Ordering.After, merged.Version.CompareTo(removed.Version));
    }

    [Fact]
    public void Tombstones_are_bounded_and_forgotten()
    {
        Gossip gossip = Of(Up(0, 1));
        for (int i = 0; i < Gossip.TombstonesMax + 50; i++)
        {
            var incarnation = new UniqueAddress(Nodes[1].Address, 1000 + i);
            gossip = gossip.Put(new Member(incarnation, 2, MemberStatus.Up, [])).ChangedBy(incarnation).Remove(incarnation, i);
        }

        Assert.Equal(Gossip.TombstonesMax, gossip.Tombstones.Count);
        Assert.Equal(Gossip.TombstonesMax, gossip.Version.Versions.Count);
        Assert.Equal(50, gossip.Tombstones.Values.Min());
        Assert.Empty(gossip.Prune(1000).Version.Versions);
    }

    [Fact]
    public void Convergence_needs_everybody_who_counts()
    {
        Gossip gossip = Of(Up(0, 1), Up(1, 2), Joining(2), Up(3, 3).Copy(MemberStatus.Exiting), Up(4, 4).Copy(MemberStatus.Down)).ChangedBy(Nodes[0]);

        Assert.False(gossip.From(0).IsConvergent);
        Assert.True(gossip.SeenAlsoBy(Nodes[1]).From(0).IsConvergent);
    }

    [Theory]
    [InlineData(MemberStatus.Up, false)]
    [InlineData(MemberStatus.Joining, false)]
    [InlineData(MemberStatus.Leaving, false)]
    [InlineData(MemberStatus.Exiting, true)]
    [InlineData(MemberStatus.Down, true)]
    public void An_unreachable_member_prevents_convergence_unless_it_is_on_its_way_out(MemberStatus status, bool converges)
    {
        Gossip gossip = Of(Up(0, 1), Up(1, 2).Copy(status)).SeenByAll().Unreachable(0, 1);

        Assert.Equal(converges, gossip.From(0).IsConvergent);
        Assert.Equal(!converges, gossip.From(0).IsBlocked);
    }

    [Fact]
    public void The_leader_is_the_first_reachable_member_that_is_up()
    {
        Gossip gossip = Of(Up(0, 1), Up(1, 2), Up(2, 3)).Unreachable(2, 0);

        Assert.Equal(Nodes[1], gossip.From(2).Leader()!.UniqueAddress);
        Assert.Equal(Nodes[0], gossip.From(0).Leader()!.UniqueAddress);
    }

    [Fact]
    public void Of_members_with_a_role_the_first_leads_them()
    {
        Gossip gossip = Of(Up(0, 1), Joining(1, "r").CopyUp(2), Joining(2, "r").CopyUp(3));

        Assert.Equal(Nodes[1], gossip.From(0).Leader("r")!.UniqueAddress);
        Assert.Null(gossip.From(0).Leader("none"));
    }

    [Fact]
    public void The_leader_moves_members_on()
    {
        Gossip gossip = Of(Up(0, 1), Joining(1), Up(2, 2).Copy(MemberStatus.Leaving), Up(3, 3).Copy(MemberStatus.Exiting), Up(4, 4).Copy(MemberStatus.Down));

        Gossip next = LeaderActions.OnConvergence(gossip, Enough(1), ImmutableHashSet.Create(Nodes[3]), 0);

        Assert.Equal((MemberStatus.Up, 5), (next.Find(Nodes[1])!.Status, next.Find(Nodes[1])!.UpNumber));
        Assert.Equal(MemberStatus.Exiting, next.Find(Nodes[2])!.Status);
        Assert.Null(next.Find(Nodes[3]));
        Assert.Null(next.Find(Nodes[4]));
    }

    [Fact]
    public void A_member_that_exits_stays_until_it_has_handed_over() =>
        Assert.NotNull(LeaderActions.OnConvergence(Of(Up(0, 1), Up(1, 2).Copy(MemberStatus.Exiting)), Enough(1), ImmutableHashSet<UniqueAddress>.Empty, 0).Find(Nodes[1]));

    [Fact]
    public void Nobody_comes_up_before_there_are_enough()
    {
        Gossip gossip = Of(Joining(0, "r"), Joining(1));
        Quorum twoOfRole = new(1, ImmutableDictionary<string, int>.Empty.Add("r", 2));

        Assert.Same(gossip, LeaderActions.OnConvergence(gossip, Enough(3), ImmutableHashSet<UniqueAddress>.Empty, 0));
        Assert.Same(gossip, LeaderActions.OnConvergence(gossip, twoOfRole, ImmutableHashSet<UniqueAddress>.Empty, 0));
        Assert.Same(gossip, LeaderActions.WithoutConvergence(gossip, Enough(3), _ => true));
    }

    [Fact]
    public void The_older_came_up_earlier_and_who_is_not_up_yet_is_the_youngest()
    {
        Member[] byAge = [.. new[] { Joining(0), Up(1, 3), Up(2, 1), Joining(3).Copy(MemberStatus.WeaklyUp) }.Order(Member.AgeOrdering)];

        Assert.Equal([Nodes[2], Nodes[1], Nodes[0], Nodes[3]], byAge.Select(member => member.UniqueAddress));
        Assert.True(Up(1, 1).IsOlderThan(Up(0, 2)));
    }

    [Theory]
    [InlineData(new long[] { 1, 0 }, new long[] { 1, 1 }, "Before")]
    [InlineData(new long[] { 2, 1 }, new long[] { 1, 1 }, "After")]
    [InlineData(new long[] { 1, 1 }, new long[] { 1, 1 }, "Same")]
    [InlineData(new long[] { 2, 0 }, new long[] { 1, 1 }, "Concurrent")]
    public void Vector_clocks_compare(long[] a, long[] b, string expected)
    {
        Assert.Equal(expected, Clock(a).CompareTo(Clock(b)).ToString());
        Assert.Equal(expected == "Same", Clock(a).Digest == Clock(b).Digest);
    }

    private static Quorum Enough(int members) => new(members, ImmutableDictionary<string, int>.Empty);

    private static VectorClock Clock(long[] counts) => new(counts.Select((count, i) => (Nodes[i], count)).Where(pair => pair.count > 0).ToImmutableSortedDictionary(pair => pair.Item1, pair => pair.count));
}
