using System.Net;
using AgentMesh.Protocol.Connections;
using AgentMesh.Protocol.Punching;
using AgentMesh.Protocol.Relaying;
using AgentMesh.Protocol.Tests.Crypto;

namespace AgentMesh.Protocol.Tests.Punching;

public sealed class PunchingTests
{
    private static readonly NatBehaviour Independent = new(NatMapping.Independent);
    private static readonly NatBehaviour InSteps = new(NatMapping.Dependent, PortStep: 1);
    private static readonly NatBehaviour AtRandom = new(NatMapping.Dependent);

    [Theory]
    [InlineData(1, 4000, 4001, 4002, 4003, 4004)]
    [InlineData(2, 4000, 4002, 4004, 4008, 4010)] // somebody else took one
    [InlineData(-1, 4000, 3999, 3998, 3996, 3995)]
    [InlineData(1, 4000, 4003, 4004, 4009)]
    [InlineData(0, 4000, 4001, 4002)] // too few
    [InlineData(0, 4000, 4001, 4000, 4001, 4002)]
    [InlineData(0, 4000, 4000, 4000, 4000, 4000)]
    [InlineData(0, 51_234, 4821, 33_170, 60_002, 1_999)]
    [InlineData(0, 1000, 2000, 3000, 4000, 5000)] // rising by chance
    public void A_step_is_seen_where_there_is_one(int step, params int[] ports) => Assert.Equal(step, PortSteps.Of(ports));

    [Fact]
    public void Ports_at_random_are_hardly_ever_taken_for_steps()
    {
        var random = new Random(1);
        Assert.InRange(Enumerable.Range(0, 100_000).Count(_ => PortSteps.Of([.. Enumerable.Range(0, 5).Select(_ => random.Next(1024, 65_536))]) != 0), 0, 1);
    }

    [Fact]
    public void Predicted_ports_stay_within_what_a_port_can_be()
    {
        Assert.Equal([65_533, 65_534, 65_535], PortSteps.From(65_533, 1));
        Assert.Equal([2, 1], PortSteps.From(2, -1));
        Assert.Equal([7], PortSteps.From(7, 0));
        Assert.Equal(PortSteps.PredictedMax, PortSteps.From(4000, 2).Count);
        Assert.Null(PortSteps.Shifted(IPEndPoint.Parse("203.0.113.1:65535"), 1, 1));
    }

    [Fact]
    public void Ports_at_random_are_all_different_and_none_is_of_the_system()
    {
        IReadOnlyList<int> ports = PortSteps.AtRandom(PortSteps.ProbesMax, new SeededEntropy(1));
        Assert.Equal(PortSteps.ProbesMax, ports.Distinct().Count());
        Assert.All(ports, port => Assert.InRange(port, 1024, 65_535));
    }

    [Fact]
    public void The_ladder_climbs_from_cheap_to_dear_and_gives_up_where_nothing_helps()
    {
        Assert.Equal(PunchStep.Plain, PunchLadder.Next(AtRandom, AtRandom, 0));
        Assert.Equal(PunchStep.None, PunchLadder.Next(AtRandom, AtRandom, 1));
        Assert.Equal(PunchStep.None, PunchLadder.Next(AtRandom, InSteps, 1));
        Assert.Equal(PunchStep.Open, PunchLadder.Next(AtRandom, Independent, 1));
        Assert.Equal(PunchStep.Guess, PunchLadder.Next(Independent, AtRandom, 1));
        Assert.Equal(PunchStep.Predict, PunchLadder.Next(InSteps, Independent, 6));
        Assert.Equal(PunchStep.Open, PunchLadder.Next(InSteps, Independent, 7));
        Assert.Equal(PunchStep.None, PunchLadder.Next(InSteps, InSteps, 7));
        Assert.Equal(PunchStep.Plain, PunchLadder.Next(Independent, Independent, 3));
        Assert.Equal(PunchStep.Plain, PunchLadder.Next(NatBehaviour.Unknown, AtRandom, 3));
    }

    [Fact]
    public void Both_sides_choose_counterparts()
    {
        NatBehaviour[] all = [NatBehaviour.Unknown, Independent, InSteps, AtRandom];
        foreach (NatBehaviour mine in all)
        {
            foreach (NatBehaviour theirs in all)
            {
                for (int failed = 0; failed < 10; failed++)
                {
                    Assert.Equal(PunchLadder.Next(mine, theirs, failed), PunchLadder.Counterpart(PunchLadder.Next(theirs, mine, failed)));
                }
            }
        }
    }

    [Fact]
    public void An_address_by_way_of_another_socket_is_told_from_all_others_and_read_back()
    {
        IPEndPoint remote = IPEndPoint.Parse("203.0.113.77:61234");
        IPEndPoint spare = SpareAddress.Of(513, remote);

        Assert.True(SpareAddress.TryRead(spare, out ushort socket, out IPEndPoint read));
        Assert.Equal((513, remote), (socket, read));
        Assert.True(SpareAddress.TryRead(spare.Serialize(), out socket, out SocketAddress serialized));
        Assert.Equal((513, remote.Serialize()), (socket, serialized));
        Assert.Equal(remote, SpareAddress.Plain(spare));
        Assert.False(RelayAddress.IsRelay(spare) || TunnelAddress.IsTunnel(spare));
        Assert.All(
            [remote, RelayAddress.Of(7), TunnelAddress.Of(7), IPEndPoint.Parse("[2001:db8::1]:5")],
            other => Assert.False(SpareAddress.IsSpare(other) || SpareAddress.TryReadSocket(other.Serialize(), out _)));
        Assert.True(PathProber.IsUsable(spare));
    }

    [Theory]
    [InlineData("[fe80::1%3]:5", true)]
    [InlineData("[fe80::1]:5", false)]
    [InlineData("[2001:db8::1]:5", true)]
    public void An_address_of_a_link_is_asked_only_where_the_link_is_known(string address, bool isUsable) => Assert.Equal(isUsable, PathProber.IsUsable(IPEndPoint.Parse(address)));
}
