using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;

namespace AgentMesh.Mesh.Contracts;

/// <summary>Writes the messages and events of the domain. Only what stands in <see cref="MeshContracts"/> is written or read.</summary>
public sealed class MeshSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    /// <summary>Stored with every event: never changes.</summary>
    public const int Id = 4201;

    public override int Identifier => Id;

    /// <summary>HOCON that binds every type of the domain to this serializer, makes the address of a sender the proof of the device it is on, and keeps devices from ending each other's actors.</summary>
    public static string Hocon()
    {
        IEnumerable<string> bindings = MeshContracts.Types.Select(type => $"\"{type.FullName}, {type.Assembly.GetName().Name}\" = agentmesh");
        return $$"""
            akka.remote.own-senders-only = on
            akka.remote.refuse-harmful = on
            akka.actor {
              serializers.agentmesh = "{{typeof(MeshSerializer).FullName}}, {{typeof(MeshSerializer).Assembly.GetName().Name}}"
              serialization-identifiers."{{typeof(MeshSerializer).FullName}}, {{typeof(MeshSerializer).Assembly.GetName().Name}}" = {{Id}}
              serialization-bindings {
                {{string.Join("\n    ", bindings)}}
              }
            }
            """;
    }

    public override string Manifest(object o) => Find(o).ManifestOf(o);

    public override byte[] ToBinary(object obj) => Find(obj).Write(obj);

    public override object FromBinary(byte[] bytes, string manifest)
    {
        try
        {
            return MeshContracts.Read(manifest, bytes);
        }
        catch (ContractException unreadable)
        {
            throw new SerializationException(unreadable.Message, unreadable);
        }
    }

    private static Contract Find(object message) =>
        MeshContracts.TryFind(message, out Contract? contract) ? contract : throw new SerializationException($"{message.GetType().FullName} is no message of the domain");
}
