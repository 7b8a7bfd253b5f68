using System.Runtime.Serialization;
using System.Text;
using Akka.Actor;
using Akka.Serialization;

namespace AgentMesh.Journal.Tests.Contract;

/// <summary>What the contract tests store.</summary>
internal sealed record Text(string Value);

/// <summary>Cannot be serialized, though a serializer is bound to it.</summary>
internal sealed record Unserializable(string Value);

internal sealed class TextSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    public const string Hocon = """
        akka.actor {
          serializers.contract-text = "AgentMesh.Journal.Tests.Contract.TextSerializer, AgentMesh.Journal.Tests"
          serialization-bindings {
            "AgentMesh.Journal.Tests.Contract.Text, AgentMesh.Journal.Tests" = contract-text
            "AgentMesh.Journal.Tests.Contract.Unserializable, AgentMesh.Journal.Tests" = contract-text
          }
        }
        """;

    public override int Identifier => 90_001;

    public override string Manifest(object o) => o is Text ? "text.1" : "bad.1";

    public override byte[] ToBinary(object obj) =>
        obj is Text text ? Encoding.UTF8.GetBytes(text.Value) : throw new SerializationException($"{obj} cannot be serialized");

    public override object FromBinary(byte[] bytes, string manifest) =>
        manifest == "text.1" ? new Text(Encoding.UTF8.GetString(bytes)) : throw new SerializationException($"unknown manifest {manifest}");
}
