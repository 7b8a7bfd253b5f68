using AgentMesh.Engine.Wire;
using Akka.Actor;
using Akka.Serialization;
using Google.Protobuf;

namespace Akka.Remote.Serialization;

/// <summary>A message inside of another, written by its own serializer.</summary>
internal static class ContainedMessages
{
    public static Contained Write(ExtendedActorSystem system, object? message)
    {
        if (message is null)
            return new Contained();
        Serializer serializer = system.Serialization.FindSerializerFor(message);
        return new Contained
        {
            Serializer = serializer.Identifier,
            Manifest = Akka.Serialization.Serialization.ManifestFor(serializer, message),
            Payload = UnsafeByteOperations.UnsafeWrap(serializer.ToBinary(message)),
        };
    }

    /// <returns>Null where nothing was contained.</returns>
    public static object? Read(ExtendedActorSystem system, Contained? contained) => contained is null || contained.Serializer == 0
        ? null
        : system.Serialization.Deserialize(contained.Payload.ToByteArray(), contained.Serializer, contained.Manifest);
}
