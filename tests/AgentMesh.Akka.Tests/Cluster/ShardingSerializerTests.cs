using System.Collections.Immutable;
using System.Runtime.Serialization;
using AgentMesh.EngineTests.Actor;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Cluster.Sharding.Coordination;
using Akka.Cluster.Sharding.Wire;

namespace AgentMesh.EngineTests.Cluster;

public sealed class ShardingSerializerTests : ActorTest
{
    private readonly ShardingSerializer _serializer;

    public ShardingSerializerTests() => _serializer = new ShardingSerializer((ExtendedActorSystem)Sys);

    [Fact]
    public void Every_message_comes_back_as_it_was()
    {
        IActorRef one = ActorOf(PuppetProps(), "one");
        object[] messages =
        [
            new RegisterProxy(one), new RegisterAck(one), new GetShardHome("s"), new Akka.Cluster.Sharding.Coordination.ShardHome("s", one), new HostShard("s"), new ShardStarted("s"),
            new BeginHandOff("s", one), new BeginHandOffAck("s"), new LastOfShard("s", one), new LastOfShardArrived("s", one), new HandOff("s"), new ShardStopped("s"), new LeaveRequest(one),
        ];
        Assert.All(messages, message => Assert.Equal(message, Again(message)));
        Assert.Equal(messages.Length, messages.Select(_serializer.Manifest).Distinct().Count());

        Assert.Equal(new BeginHandOff("s", null), Again(new BeginHandOff("s", null)));

        var register = Assert.IsType<Register>(Again(new Register(one, ["a", "b"])));
        Assert.Equal(one, register.Region);
        Assert.Equal<string>(["a", "b"], register.Shards);
        var envelope = Assert.IsType<ShardingEnvelope>(Again(new ShardingEnvelope("e", "text")));
        Assert.Equal(("e", "text"), (envelope.EntityId, envelope.Message));
    }

    [Fact]
    public void What_cannot_be_read_is_a_serialization_error()
    {
        Assert.Throws<SerializationException>(() => _serializer.FromBinary([], "no such message"));
        Assert.Throws<SerializationException>(() => _serializer.FromBinary([0xFF, 0xFF, 0xFF], "SH"));
    }

    private object Again(object message) => _serializer.FromBinary(_serializer.ToBinary(message), _serializer.Manifest(message));
}
