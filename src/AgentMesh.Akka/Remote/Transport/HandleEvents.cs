using Akka.Actor;
using Google.Protobuf;

namespace Akka.Remote.Transport;

public interface IHandleEvent : INoSerializationVerificationNeeded
{
}

/// <summary>Receives what happens on one association. A transport calls it from one thread at a time per lane.</summary>
public interface IHandleEventListener
{
    void Notify(IHandleEvent ev);
}

public interface IAssociationEvent : INoSerializationVerificationNeeded
{
}

/// <summary>Receives the associations that others open.</summary>
public interface IAssociationEventListener
{
    void Notify(IAssociationEvent ev);
}

public sealed class InboundPayload : IHandleEvent
{
    public InboundPayload(ByteString payload) => Payload = payload;

    public ByteString Payload { get; }

    public override string ToString() => $"InboundPayload(size = {Payload.Length} bytes)";
}

public sealed class InboundAssociation : IAssociationEvent
{
    public InboundAssociation(AssociationHandle association) => Association = association;

    public AssociationHandle Association { get; }
}

/// <summary>Why an association ended.</summary>
public enum DisassociateInfo
{
    Unknown = 0,

    /// <summary>The remote system is shutting down.</summary>
    Shutdown = 1,

    /// <summary>The remote system has quarantined this one.</summary>
    Quarantined = 2,
}

/// <summary>The association is gone.</summary>
public sealed class Disassociated : IHandleEvent, Event.IDeadLetterSuppression
{
    internal readonly DisassociateInfo Info;

    public Disassociated(DisassociateInfo info) => Info = info;
}

/// <summary>Something is wrong below, but the association is still there.</summary>
public sealed class UnderlyingTransportError : IHandleEvent
{
    internal readonly Exception Cause;
    internal readonly string Message;

    public UnderlyingTransportError(Exception cause, string message)
    {
        Cause = cause;
        Message = message;
    }
}

public sealed class ActorHandleEventListener : IHandleEventListener
{
    public readonly IActorRef Actor;

    public ActorHandleEventListener(IActorRef actor) => Actor = actor;

    public void Notify(IHandleEvent ev) => Actor.Tell(ev, ActorRefs.NoSender);
}

public sealed class ActorAssociationEventListener : IAssociationEventListener
{
    public ActorAssociationEventListener(IActorRef actor) => Actor = actor;

    public IActorRef Actor { get; }

    public void Notify(IAssociationEvent ev) => Actor.Tell(ev, ActorRefs.NoSender);
}
