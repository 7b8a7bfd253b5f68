using Akka.Actor;
using Akka.Serialization;

namespace AgentMesh.Journal.Plugins;

/// <summary>Payloads as the actor system's serializers write them, named by serializer id and manifest.</summary>
internal sealed class PayloadCodec(ExtendedActorSystem system)
{
    private readonly Akka.Serialization.Serialization _serialization = system.Serialization;

    public (int SerializerId, string Manifest, byte[] Bytes) Write(object payload)
    {
        Serializer serializer = _serialization.FindSerializerFor(payload);
        string manifest = Akka.Serialization.Serialization.ManifestFor(serializer, payload) ?? string.Empty;
        byte[] bytes = Akka.Serialization.Serialization.WithTransport(system, () => serializer.ToBinary(payload));
        return (serializer.Identifier, manifest, bytes);
    }

    /// <exception cref="System.Runtime.Serialization.SerializationException">No serializer has this id or knows the manifest.</exception>
    public object Read(int serializerId, string manifest, byte[] bytes) => _serialization.Deserialize(bytes, serializerId, manifest);
}
