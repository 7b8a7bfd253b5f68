using System.Diagnostics.CodeAnalysis;
using AgentMesh.Engine.Remote;
using AgentMesh.Engine.Wire;
using Akka.Actor;
using Akka.Remote.Transport;
using Google.Protobuf;

namespace Akka.Remote.Associations;

/// <summary>One connection that another system opened: its greeting, then its messages. Bytes that are no frames end it.</summary>
internal sealed class InboundConnection(Remoting remoting, AssociationHandle handle) : IHandleEventListener
{
    private readonly object _gate = new();
    private Association? _association;
    private bool _ended;

    public void Notify(IHandleEvent ev)
    {
        switch (ev)
        {
            case InboundPayload payload when !_ended:
                Handle(payload.Payload);
                break;
            case Disassociated:
                _ended = true;
                remoting.Ended(this);
                break;
        }
    }

    /// <summary>This system shuts down.</summary>
    public void Close()
    {
        if (!_ended)
            End(Goodbye.Types.Reason.Shutdown);
    }

    private void Handle(ByteString payload)
    {
        Frame frame;
        try
        {
            frame = Frame.Parser.ParseFrom(payload);
        }
        catch (InvalidProtocolBufferException)
        {
            remoting.Inbox.Malformed();
            End(Goodbye.Types.Reason.Refused);
            return;
        }

        switch (frame.KindCase)
        {
            case Frame.KindOneofCase.Hello:
                OnHello(frame.Hello);
                break;
            case Frame.KindOneofCase.Batch when _association is not null:
                OnBatch(frame.Batch, _association);
                break;
            case Frame.KindOneofCase.Goodbye:
                OnGoodbye(frame.Goodbye.Reason);
                break;
            default:
                remoting.Inbox.Malformed();
                End(Goodbye.Types.Reason.Refused);
                break;
        }
    }

    private void OnHello(Hello hello)
    {
        lock (_gate)
        {
            if (_association is not null || !IsValid(hello, out Address? origin))
            {
                remoting.Inbox.Malformed();
                End(Goodbye.Types.Reason.Refused);
                return;
            }

            Association association = remoting.To(origin);
            if (!association.Called((long)hello.Incarnation))
            {
                End(Goodbye.Types.Reason.Quarantined);
                return;
            }

            _association = association;
        }

        WriteControl(new Frame { Welcome = new Welcome { Incarnation = (ulong)remoting.Incarnation } });
        remoting.Publish(new AssociatedEvent(remoting.DefaultAddress, _association.Remote, inbound: true));
    }

    private bool IsValid(Hello hello, [NotNullWhen(true)] out Address? origin)
    {
        origin = null;
        return hello.Version == OutboundConnection.Version && hello.Incarnation != 0
            && Address.TryParse(hello.Destination, out Address? meant) && remoting.Provider.HasAddress(meant)
            && Address.TryParse(hello.Origin, out origin) && IsPlausible(origin);
    }

    /// <summary>The transport knows who is at the other end; a system must not speak for another.</summary>
    private bool IsPlausible(Address origin) => origin.Host == handle.RemoteAddress.Host && origin.Port == handle.RemoteAddress.Port;

    private void OnBatch(Batch batch, Association association)
    {
        SystemAckRange? ack = null;
        foreach (AgentMesh.Engine.Wire.Envelope envelope in batch.Envelopes)
        {
            if (remoting.Inbox.TryRead(batch, envelope, association.Remote, out Action deliver))
            {
                if (envelope.SystemSequence == 0)
                    deliver();
                else
                    ack = association.Receive((long)envelope.SystemSequence, deliver);
            }
            else if (envelope.SystemSequence != 0)
            {
                // Not readable, and never will be: the place in the order is taken all the same.
                ack = association.Receive((long)envelope.SystemSequence, static () => { });
            }
        }

        if (ack is not { } due)
            return;
        var frame = new Frame { SystemAck = new SystemAck { Through = (ulong)due.Through } };
        frame.SystemAck.Beyond.AddRange(due.Beyond.Select(number => (ulong)number));
        WriteControl(frame);
    }

    private void OnGoodbye(Goodbye.Types.Reason reason)
    {
        _ended = true;
        if (_association is { } association)
        {
            if (reason == Goodbye.Types.Reason.Quarantined)
                remoting.Publish(new ThisActorSystemQuarantinedEvent(remoting.DefaultAddress, association.Remote));
            if (reason == Goodbye.Types.Reason.Shutdown)
                remoting.System.AddressTerminatedTopic.Publish(new Event.AddressTerminated(association.Remote));
        }

        Disassociate();
    }

    private void Disassociate()
    {
        remoting.Ended(this);
        handle.Disassociate();
    }

    private void End(Goodbye.Types.Reason reason)
    {
        _ended = true;
        WriteControl(new Frame { Goodbye = new Goodbye { Reason = reason } });
        Disassociate();
    }

    private void WriteControl(Frame frame)
    {
        ByteString payload = frame.ToByteString();
        _ = handle is IControlLane lane ? lane.WriteControl(payload) : handle.Write(payload);
    }
}
