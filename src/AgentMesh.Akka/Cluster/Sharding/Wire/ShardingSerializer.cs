using System.Runtime.Serialization;
using AgentMesh.Engine.Wire.Sharding;
using Akka.Actor;
using Akka.Cluster.Sharding.Coordination;
using Akka.Serialization;
using Google.Protobuf;
using Envelope = AgentMesh.Engine.Wire.Sharding.Envelope;

namespace Akka.Cluster.Sharding.Wire;

/// <summary>Writes the messages of sharding as protobuf, one short manifest each.</summary>
internal sealed class ShardingSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    public override int Identifier => 13;

    public override string Manifest(object o) => o switch
    {
        Register => "RG",
        RegisterProxy => "RP",
        RegisterAck => "RA",
        GetShardHome => "GH",
        Coordination.ShardHome => "SH",
        HostShard => "HS",
        ShardStarted => "SS",
        BeginHandOff => "BH",
        BeginHandOffAck => "BA",
        LastOfShard => "LS",
        LastOfShardArrived => "LA",
        HandOff => "HO",
        ShardStopped => "ST",
        LeaveRequest => "LR",
        ShardingEnvelope => "EN",
        _ => throw new SerializationException($"{o.GetType().FullName} is no message of sharding"),
    };

    public override byte[] ToBinary(object obj) => (obj switch
    {
        Register register => new Registration { Region = Path(register.Region), Shards = { register.Shards } },
        RegisterProxy register => (IMessage)new Reference { Path = Path(register.Region) },
        RegisterAck ack => new Reference { Path = Path(ack.Coordinator) },
        LeaveRequest request => new Reference { Path = Path(request.Region) },
        Coordination.ShardHome home => new Home { Shard = home.Shard, Region = Path(home.Region) },
        BeginHandOff order => new Home { Shard = order.Shard, Region = order.Home is { } home ? Path(home) : "" },
        LastOfShard last => new Home { Shard = last.Shard, Region = Path(last.Worker) },
        LastOfShardArrived last => new Home { Shard = last.Shard, Region = Path(last.Region) },
        GetShardHome m => Name(m.Shard),
        HostShard m => Name(m.Shard),
        ShardStarted m => Name(m.Shard),
        BeginHandOffAck m => Name(m.Shard),
        HandOff m => Name(m.Shard),
        ShardStopped m => Name(m.Shard),
        ShardingEnvelope envelope => Write(envelope),
        _ => throw new SerializationException($"{obj.GetType().FullName} is no message of sharding"),
    }).ToByteArray();

    public override object FromBinary(byte[] bytes, string manifest)
    {
        try
        {
            return manifest switch
            {
                "RG" => Registration.Parser.ParseFrom(bytes) is var m ? new Register(Resolve(m.Region), [.. m.Shards]) : null!,
                "RP" => new RegisterProxy(Ref(bytes)),
                "RA" => new RegisterAck(Ref(bytes)),
                "LR" => new LeaveRequest(Ref(bytes)),
                "SH" => Home.Parser.ParseFrom(bytes) is var m ? new Coordination.ShardHome(m.Shard, Resolve(m.Region)) : null!,
                "LS" => Home.Parser.ParseFrom(bytes) is var m ? new LastOfShard(m.Shard, Resolve(m.Region)) : null!,
                "LA" => Home.Parser.ParseFrom(bytes) is var m ? new LastOfShardArrived(m.Shard, Resolve(m.Region)) : null!,
                "GH" => new GetShardHome(Shard(bytes)),
                "HS" => new HostShard(Shard(bytes)),
                "SS" => new ShardStarted(Shard(bytes)),
                "BH" => Home.Parser.ParseFrom(bytes) is var m ? new BeginHandOff(m.Shard, m.Region.Length > 0 ? Resolve(m.Region) : null) : null!,
                "BA" => new BeginHandOffAck(Shard(bytes)),
                "HO" => new HandOff(Shard(bytes)),
                "ST" => new ShardStopped(Shard(bytes)),
                "EN" => Read(Envelope.Parser.ParseFrom(bytes)),
                _ => throw new SerializationException($"Unknown manifest '{manifest}' of a sharding message"),
            };
        }
        catch (InvalidProtocolBufferException error)
        {
            throw new SerializationException($"A sharding message '{manifest}' cannot be read", error);
        }
    }

    private static string Path(IActorRef actor) => Serialization.Serialization.SerializedActorPath(actor);

    private static ShardName Name(string shard) => new() { Shard = shard };

    private static string Shard(byte[] bytes) => ShardName.Parser.ParseFrom(bytes).Shard;

    private IActorRef Ref(byte[] bytes) => Resolve(Reference.Parser.ParseFrom(bytes).Path);

    private IActorRef Resolve(string path) => system.Provider.ResolveActorRef(path);

    private Envelope Write(ShardingEnvelope envelope)
    {
        Serializer serializer = system.Serialization.FindSerializerFor(envelope.Message);
        return new Envelope
        {
            EntityId = envelope.EntityId,
            SerializerId = serializer.Identifier,
            Manifest = Serialization.Serialization.ManifestFor(serializer, envelope.Message),
            Payload = ByteString.CopyFrom(serializer.ToBinary(envelope.Message)),
        };
    }

    private ShardingEnvelope Read(Envelope envelope) =>
        new(envelope.EntityId, system.Serialization.Deserialize(envelope.Payload.ToByteArray(), envelope.SerializerId, envelope.Manifest));
}
