using System.Runtime.Serialization;
using AgentMesh.Engine.Wire;
using Akka.Actor;
using Akka.Serialization;
using Google.Protobuf;

namespace Akka.Remote.Serialization;

/// <summary>The engine's own messages and values that travel between systems.</summary>
internal sealed class MiscMessageSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    public override int Identifier => 16;

    public override string Manifest(object o) => o switch
    {
        IActorRef => "R",
        Identify => "I",
        ActorIdentity => "AI",
        Address => "AD",
        PoisonPill => "P",
        Kill => "K",
        Status.Success => "S",
        Status.Failure => "F",
        Done => "DN",
        RemoteWatcher.Heartbeat => "H",
        RemoteWatcher.HeartbeatRsp => "HR",
        _ => throw new SerializationException($"{o.GetType().FullName} has no place in this serializer"),
    };

    public override byte[] ToBinary(object obj) => (obj switch
    {
        IActorRef actor => new RefMessage { Path = Akka.Serialization.Serialization.SerializedActorPath(actor) },
        Identify identify => new IdentifyMessage { MessageId = ContainedMessages.Write(system, identify.MessageId) },
        ActorIdentity identity => new ActorIdentityMessage
        {
            CorrelationId = ContainedMessages.Write(system, identity.MessageId),
            Subject = identity.Subject is null ? string.Empty : Akka.Serialization.Serialization.SerializedActorPath(identity.Subject),
        },
        Address address => new AddressMessage { Address = address.ToString() },
        Status.Success success => new SuccessMessage { Status = ContainedMessages.Write(system, success.Status) },
        Status.Failure failure => new FailureMessage { Cause = Write(failure.Cause), State = ContainedMessages.Write(system, failure.State) },
        RemoteWatcher.HeartbeatRsp answer => new HeartbeatResponse { Uid = answer.AddressUid },
        _ => (IMessage?)null,
    })?.ToByteArray() ?? [];

    public override object FromBinary(byte[] bytes, string manifest)
    {
        switch (manifest)
        {
            case "R":
                return system.Provider.ResolveActorRef(RefMessage.Parser.ParseFrom(bytes).Path);
            case "I":
                return new Identify(ContainedMessages.Read(system, IdentifyMessage.Parser.ParseFrom(bytes).MessageId)!);
            case "AI":
                ActorIdentityMessage identity = ActorIdentityMessage.Parser.ParseFrom(bytes);
                return new ActorIdentity(ContainedMessages.Read(system, identity.CorrelationId)!, identity.Subject.Length == 0 ? null! : system.Provider.ResolveActorRef(identity.Subject));
            case "AD":
                return Address.TryParse(AddressMessage.Parser.ParseFrom(bytes).Address, out Address? address) ? address : throw new SerializationException("No address");
            case "P":
                return PoisonPill.Instance;
            case "K":
                return Kill.Instance;
            case "S":
                return new Status.Success(ContainedMessages.Read(system, SuccessMessage.Parser.ParseFrom(bytes).Status)!);
            case "F":
                FailureMessage failure = FailureMessage.Parser.ParseFrom(bytes);
                return new Status.Failure(new RemoteFailureException(failure.Cause?.TypeName ?? string.Empty, failure.Cause?.Message ?? string.Empty), ContainedMessages.Read(system, failure.State)!);
            case "DN":
                return Done.Instance;
            case "H":
                return RemoteWatcher.Heartbeat.Instance;
            case "HR":
                return new RemoteWatcher.HeartbeatRsp(HeartbeatResponse.Parser.ParseFrom(bytes).Uid);
            default:
                throw new SerializationException($"Unknown manifest '{manifest}'");
        }
    }

    private static ExceptionData Write(Exception? cause) => new() { TypeName = cause?.GetType().FullName ?? string.Empty, Message = cause?.Message ?? string.Empty };
}

/// <summary>A failure on another system. Its type is text only: types are never made from bytes.</summary>
internal sealed class RemoteFailureException(string typeName, string message) : AkkaException(message)
{
    public string TypeName => typeName;

    public override string ToString() => $"{typeName}: {Message}";
}
