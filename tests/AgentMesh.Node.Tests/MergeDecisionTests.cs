using AgentMesh.Node.Membership;
using AgentMesh.Protocol.Identity;

namespace AgentMesh.Node.Tests;

public sealed class MergeDecisionTests
{
    private static readonly DeviceId A = Id('a'), B = Id('b'), C = Id('c'), D = Id('d');

    [Fact]
    public void Two_single_devices_agree_that_the_smaller_id_stays()
    {
        ClusterView a = View(A, 1, (A, 1)), b = View(B, 1, (B, 1));

        Assert.Empty(MergeDecision.JoinInstead(a, [b]));
        Assert.Equal([A], MergeDecision.JoinInstead(b, [a]));
    }

    [Fact]
    public void The_larger_cluster_stays_whatever_the_ids()
    {
        ClusterView a = View(A, 1, (A, 1)), b = View(B, 1, (B, 1), (C, 1)), c = View(C, 1, (B, 1), (C, 1));

        Assert.Equal([B, C], MergeDecision.JoinInstead(a, [b, c]));
        Assert.Empty(MergeDecision.JoinInstead(b, [a, c]));
        Assert.Empty(MergeDecision.JoinInstead(c, [b, a]));
    }

    [Fact]
    public void A_continued_device_that_was_taken_out_starts_over_though_it_believes_in_three_members()
    {
        ClusterView a = View(A, 1, (A, 1), (B, 1), (C, 1));
        ClusterView b = View(B, 1, (B, 1), (C, 1)), c = View(C, 1, (B, 1), (C, 1));

        Assert.Equal([B, C], MergeDecision.JoinInstead(a, [b, c]));
        Assert.Empty(MergeDecision.JoinInstead(b, [a, c]));
        Assert.Empty(MergeDecision.JoinInstead(c, [a, b]));
    }

    [Fact]
    public void A_device_that_has_not_joined_yet_is_waited_for()
    {
        ClusterView a = View(A, 1, (A, 1)), fresh = View(B, 2);

        Assert.Empty(MergeDecision.JoinInstead(a, [fresh]));
        Assert.Empty(MergeDecision.JoinInstead(fresh, [a]));
    }

    [Fact]
    public void One_cluster_has_nothing_to_decide()
    {
        ClusterView a = View(A, 1, (A, 1), (B, 1)), b = View(B, 1, (A, 1), (B, 1));

        Assert.Empty(MergeDecision.JoinInstead(a, [b]));
        Assert.Empty(MergeDecision.JoinInstead(b, [a]));
    }

    [Fact]
    public void A_member_that_joined_first_at_one_side_is_not_a_split()
    {
        // The newcomer's join has reached B's view but not yet A's.
        ClusterView a = View(A, 1, (A, 1), (B, 1)), b = View(B, 1, (A, 1), (B, 1), (C, 1)), c = View(C, 1, (A, 1), (B, 1), (C, 1));

        Assert.Empty(MergeDecision.JoinInstead(a, [b, c]));
        Assert.Empty(MergeDecision.JoinInstead(b, [a, c]));
        Assert.Empty(MergeDecision.JoinInstead(c, [a, b]));
    }

    [Fact]
    public void A_device_that_both_sides_believe_in_and_nobody_here_hears_does_not_make_them_one()
    {
        // D never speaks with C, which has kept it among its members: B, which came back, hears of it that it went with A.
        ClusterView c = View(C, 1, (C, 1), (D, 1));
        ClusterView a = View(A, 1, (A, 1), (B, 2), (D, 1)), b = View(B, 2, (A, 1), (B, 2), (D, 1)), d = View(D, 1, (A, 1), (B, 2), (D, 1));

        Assert.Equal([A, B, D], MergeDecision.JoinInstead(c, [b]));
        Assert.Empty(MergeDecision.JoinInstead(b, [a, c, d]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Exactly_one_side_of_any_split_moves(int seed)
    {
        var random = new Random(seed);
        DeviceId[] all = [A, B, C, D];
        for (int round = 0; round < 200; round++)
        {
            DeviceId[][] halves = [[.. all.Where(_ => random.Next(2) == 0)], []];
            halves[1] = [.. all.Except(halves[0])];
            if (halves.Any(half => half.Length == 0))
            {
                continue;
            }

            ClusterView[] views = [.. halves.SelectMany(half => half.Select(device => View(device, 1, [.. half.Select(member => (member, 1L))])))];
            int[] moving = [.. halves.Select(half => views.Count(view => half.Contains(view.Self.Device) && MergeDecision.JoinInstead(view, [.. views.Where(other => other != view)]).Count > 0))];

            Assert.True(
                (moving[0] == 0 && moving[1] == halves[1].Length) || (moving[1] == 0 && moving[0] == halves[0].Length),
                $"seed {seed}, round {round}: {moving[0]} of {halves[0].Length} and {moving[1]} of {halves[1].Length} move");
        }
    }

    private static DeviceId Id(char letter) => DeviceId.Parse(new string(letter, DeviceId.TextLength));

    private static ClusterView View(DeviceId self, long incarnation, params (DeviceId Device, long Incarnation)[] members) =>
        new(new ViewMember(self, incarnation), members.Select(member => new ViewMember(member.Device, member.Incarnation)).ToHashSet());
}
