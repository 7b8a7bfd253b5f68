using System.Collections.Immutable;
using System.Runtime.Serialization;
using AgentMesh.Engine.Wire.Cluster;
using Akka.Actor;
using Akka.Cluster.Membership;
using Akka.Serialization;
using Google.Protobuf;

namespace Akka.Cluster.Wire;

/// <summary>Writes the messages of cluster membership as protobuf, one short manifest each.</summary>
internal sealed class ClusterMessageSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    public override int Identifier => 5;

    public override string Manifest(object o) => o switch
    {
        InitJoin => "IJ",
        InitJoinAck => "IA",
        InitJoinNack => "IN",
        JoinRequest => "J",
        Welcome => "W",
        GossipEnvelope => "G",
        GossipStatus => "GS",
        ExitingConfirmed => "EC",
        Heartbeat => "H",
        HeartbeatResponse => "HR",
        _ => throw new SerializationException($"{o.GetType().FullName} is no message of the cluster"),
    };

    public override byte[] ToBinary(object obj)
    {
        IMessage? message = obj switch
        {
            InitJoin => null,
            InitJoinAck ack => new Place { Address = ack.From.ToString() },
            InitJoinNack nack => new Place { Address = nack.From.ToString() },
            JoinRequest join => Write(join),
            Welcome welcome => new GossipMessage { From = GossipContract.Write(welcome.From), Gossip = GossipContract.Write(welcome.Gossip) },
            GossipEnvelope envelope => new GossipMessage { From = GossipContract.Write(envelope.From), To = GossipContract.Write(envelope.To), Gossip = GossipContract.Write(envelope.Gossip) },
            GossipStatus status => new AgentMesh.Engine.Wire.Cluster.Status { From = GossipContract.Write(status.From), VersionDigest = status.VersionDigest },
            ExitingConfirmed exited => GossipContract.Write(exited.Node),
            Heartbeat heartbeat => Write(heartbeat.From, heartbeat.VersionDigest, heartbeat.Heard),
            HeartbeatResponse response => Write(response.From, response.VersionDigest, heard: false),
            _ => throw new SerializationException($"{obj.GetType().FullName} is no message of the cluster"),
        };
        return message?.ToByteArray() ?? [];
    }

    public override object FromBinary(byte[] bytes, string manifest)
    {
        try
        {
            return manifest switch
            {
                "IJ" => new InitJoin(),
                "IA" => new InitJoinAck(ReadPlace(bytes)),
                "IN" => new InitJoinNack(ReadPlace(bytes)),
                "J" => Join.Parser.ParseFrom(bytes) is var join ? new JoinRequest(GossipContract.Read(join.Node), ReadRoles(join)) : null!,
                "W" => GossipMessage.Parser.ParseFrom(bytes) is var m ? new Welcome(GossipContract.Read(m.From), GossipContract.Read(m.Gossip)) : null!,
                "G" => GossipMessage.Parser.ParseFrom(bytes) is var m ? new GossipEnvelope(GossipContract.Read(m.From), GossipContract.Read(m.To), GossipContract.Read(m.Gossip)) : null!,
                "GS" => AgentMesh.Engine.Wire.Cluster.Status.Parser.ParseFrom(bytes) is var s ? new GossipStatus(GossipContract.Read(s.From), s.VersionDigest) : null!,
                "EC" => new ExitingConfirmed(GossipContract.Read(Node.Parser.ParseFrom(bytes))),
                "H" => Beat.Parser.ParseFrom(bytes) is var b ? new Heartbeat(ReadSender(b), ReadDigest(b), b.Heard) : null!,
                "HR" => Beat.Parser.ParseFrom(bytes) is var b ? new HeartbeatResponse(ReadSender(b), ReadDigest(b)) : null!,
                _ => throw new SerializationException($"Unknown manifest '{manifest}' of a cluster message"),
            };
        }
        catch (Exception error) when (error is InvalidProtocolBufferException or ArgumentException)
        {
            throw new SerializationException($"A cluster message '{manifest}' cannot be read", error);
        }
    }

    private static Beat Write(UniqueAddress from, ulong? digest, bool heard)
    {
        var written = new Beat { Address = from.Address.ToString(), Uid = from.Uid, Heard = heard };
        if (digest is { } known)
            written.VersionDigest = known;
        return written;
    }

    private static UniqueAddress ReadSender(Beat beat) => new(GossipContract.ReadAddress(beat.Address), beat.Uid);

    private static ulong? ReadDigest(Beat beat) => beat.HasVersionDigest ? beat.VersionDigest : null;

    private static Address ReadPlace(byte[] bytes) => GossipContract.ReadAddress(Place.Parser.ParseFrom(bytes).Address);

    private static Join Write(JoinRequest join)
    {
        var written = new Join { Node = GossipContract.Write(join.Node) };
        written.Roles.AddRange(join.Roles);
        return written;
    }

    private static ImmutableHashSet<string> ReadRoles(Join join)
    {
        ImmutableHashSet<string> roles = [.. join.Roles];
        return ClusterSettings.ObstacleInRoles(roles) is { } obstacle ? throw new SerializationException($"The node that joins {obstacle}") : roles;
    }
}
