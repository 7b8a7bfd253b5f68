using System.Collections.Immutable;
using System.Runtime.Serialization;
using AgentMesh.Engine.Wire.Cluster;
using Akka.Actor;
using Akka.Cluster;
using Akka.Cluster.Membership;
using Akka.Cluster.Wire;
using Google.Protobuf;
using static AgentMesh.EngineTests.Cluster.GossipLab;

namespace AgentMesh.EngineTests.Cluster;

public sealed class ClusterMessageSerializerTests
{
    private static readonly ClusterMessageSerializer Serializer = new(null!);

    private static readonly Address Place = Nodes[0].Address;

    [Fact]
    public void Every_message_comes_back_as_it_was()
    {
        foreach (IClusterMessage message in new IClusterMessage[]
        {
            new InitJoin(), new InitJoinAck(Place), new InitJoinNack(Place), new GossipStatus(Nodes[1], ulong.MaxValue), new ExitingConfirmed(Nodes[1]), new Heartbeat(Nodes[1]), new HeartbeatResponse(Nodes[1]),
            new Heartbeat(Nodes[1], ulong.MaxValue, Heard: true), new Heartbeat(Nodes[1], 0), new HeartbeatResponse(Nodes[1], 7),
        })
            Assert.Equal(message, Back(message));
        var join = (JoinRequest)Back(new JoinRequest(Nodes[1], ["a", "b"]));
        Assert.Equal(Nodes[1], join.Node);
        Assert.Equal(["a", "b"], join.Roles.Order());
    }

    /// <summary>Members of both kinds are in one cluster while one after the other gets a new version.</summary>
    [Fact]
    public void Heartbeats_of_a_version_that_says_less_are_understood_and_it_understands_those_of_this_one()
    {
        byte[] earlier = GossipContract.Write(Nodes[1]).ToByteArray();

        Assert.Equal(new Heartbeat(Nodes[1]), Serializer.FromBinary(earlier, "H"));
        Assert.Equal(new HeartbeatResponse(Nodes[1]), Serializer.FromBinary(earlier, "HR"));
        Assert.Equal(Nodes[1], GossipContract.Read(Node.Parser.ParseFrom(Serializer.ToBinary(new Heartbeat(Nodes[1], 7, Heard: true)))));
        Assert.Equal(Nodes[1], GossipContract.Read(Node.Parser.ParseFrom(Serializer.ToBinary(new HeartbeatResponse(Nodes[1], 7)))));
    }

    [Fact]
    public void Any_gossip_comes_back_as_it_was()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            Gossip gossip = Copies(new Random(seed), 2) is var copies ? copies[0].Merge(copies[1]).SeenAlsoBy(Nodes[3]) : null!;
            var back = (GossipEnvelope)Back(new GossipEnvelope(Nodes[0], Nodes[1], gossip));

            Assert.Equal(gossip.Text(), back.Gossip.Text());
            Assert.True(back.Gossip.SeenBy.SetEquals(gossip.SeenBy));
            Assert.Equal((Nodes[0], Nodes[1]), (back.From, back.To));
            Assert.Equal(gossip.Text(), ((Welcome)Back(new Welcome(Nodes[0], gossip))).Gossip.Text());
        }
    }

    [Fact]
    public void Gossip_of_fifty_members_in_trouble_fits_one_payload()
    {
        UniqueAddress[] nodes = [.. Enumerable.Range(0, 150).Select(i => new UniqueAddress(new Address("akka.mesh", "agentmesh", new string('a', 29) + $"{i:000}", 1), int.MaxValue - i))];
        var gossip = Gossip.Empty;
        foreach (UniqueAddress node in nodes[..50])
            gossip = gossip.Put(new Member(node, 1, MemberStatus.Up, ["home-" + node.Address.Host])).ChangedBy(node);
        foreach (UniqueAddress node in nodes[..50])
            gossip = gossip with { Reachability = gossip.Reachability.With(node, [.. nodes[10..30]]), SeenBy = [.. nodes[..50]] };
        foreach (UniqueAddress gone in nodes[50..])
            gossip = gossip.Put(new Member(gone, 1, MemberStatus.Down, [])).ChangedBy(gone).Remove(gone, 1_700_000_000_000);

        Assert.InRange(Serializer.ToBinary(new GossipEnvelope(nodes[0], nodes[1], gossip)).Length, 1, 30_000);
    }

    [Fact]
    public void Damaged_bytes_are_refused_and_do_nothing_else()
    {
        IClusterMessage[] samples =
        [
            new InitJoinAck(Place), new JoinRequest(Nodes[1], ["a"]), new GossipStatus(Nodes[1], 7), new Heartbeat(Nodes[1], 7, Heard: true), new Welcome(Nodes[0], Copies(new Random(1), 1)[0]),
            new GossipEnvelope(Nodes[0], Nodes[1], Copies(new Random(2), 2)[1]),
        ];
        var random = new Random(3);
        int refused = 0;
        for (int i = 0; i < 20_000; i++)
        {
            IClusterMessage sample = samples[i % samples.Length];
            byte[] bytes = Serializer.ToBinary(sample);
            for (int damage = random.Next(1, 4); damage > 0; damage--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (random.Next(4) == 0)
                bytes = bytes[..random.Next(bytes.Length)];
            try
            {
                Serializer.FromBinary(bytes, Serializer.Manifest(sample));
            }
            catch (SerializationException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1000, 20_000);
    }

    [Fact]
    public void What_is_unknown_or_too_large_is_refused()
    {
        Assert.Throws<SerializationException>(() => Serializer.FromBinary([], "X"));
        Assert.Throws<SerializationException>(() => Serializer.FromBinary([], "W"));
        Assert.Throws<SerializationException>(() => Serializer.Manifest("a string"));
        var roles = Enumerable.Range(0, 65).Select(i => $"r{i}").ToImmutableHashSet();
        Assert.Throws<SerializationException>(() => Back(new JoinRequest(Nodes[1], roles)));
        Assert.Throws<SerializationException>(() => Back(new JoinRequest(Nodes[1], [new string('r', 129)])));
    }

    private static object Back(IClusterMessage message) => Serializer.FromBinary(Serializer.ToBinary(message), Serializer.Manifest(message));
}
