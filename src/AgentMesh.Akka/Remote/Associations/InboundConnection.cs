using System.Diagnostics.CodeAnalysis;
using AgentMesh.Engine.Remote;
using AgentMesh.Engine.Wire;
using Akka.Actor;
using Akka.Remote.Transport;
using Google.Protobuf;

namespace Akka.Remote.Associations;

/// <summary>One connection that another system opened: its greeting, then its messages. Bytes that are no frames end it.</summary>
internal sealed class InboundConnection : IHandleEventListener
{
    private readonly Remoting _remoting;
    private readonly AssociationHandle _handle;
    private readonly object _helloGate = new();
    private readonly object _deliverGate = new();
    private readonly ITimer _helloTimer;
    private volatile Association? _association;
    private bool _expired;
    private int _ended;

    public InboundConnection(Remoting remoting, AssociationHandle handle)
    {
        _remoting = remoting;
        _handle = handle;
        _helloTimer = remoting.System.Settings.Clock.CreateTimer(_ => OnHelloMissing(), null, remoting.Settings.HandshakeTimeout, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Who has greeted; 0 before.</summary>
    public long Incarnation { get; private set; }

    /// <summary>Counts the connections of that incarnation to this system: the highest is the latest.</summary>
    public ulong Attempt { get; private set; }

    private bool IsEnded => Volatile.Read(ref _ended) != 0;

    public void Notify(IHandleEvent ev)
    {
        switch (ev)
        {
            case InboundPayload payload when !IsEnded:
                Handle(payload.Payload);
                break;
            case Disassociated:
                Leave();
                break;
        }
    }

    /// <summary>This system shuts down.</summary>
    public void Close() => End(Goodbye.Types.Reason.Shutdown);

    /// <summary>Nothing that it carries is delivered after this has returned.</summary>
    public void Expire(Goodbye.Types.Reason reason)
    {
        lock (_deliverGate)
            _expired = true;
        End(reason);
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
            Refuse();
            return;
        }

        switch (frame.KindCase)
        {
            case Frame.KindOneofCase.Hello:
                OnHello(frame.Hello);
                break;
            case Frame.KindOneofCase.Batch when _association is { } association:
                OnBatch(frame.Batch, association);
                break;
            case Frame.KindOneofCase.Goodbye:
                OnGoodbye(frame.Goodbye.Reason);
                break;
            default:
                Refuse();
                break;
        }
    }

    private void OnHello(Hello hello)
    {
        Association association;
        lock (_helloGate)
        {
            if (_association is not null || !IsValid(hello, out Address? origin))
            {
                Refuse();
                return;
            }

            Incarnation = (long)hello.Incarnation;
            Attempt = hello.Attempt;
            Greeting answer;
            do
            {
                association = _remoting.To(origin);
                answer = association.Called(this);
            }
            while (answer == Greeting.Retired);
            if (answer != Greeting.Welcome)
            {
                End(answer == Greeting.Quarantined ? Goodbye.Types.Reason.Quarantined : Goodbye.Types.Reason.Unknown);
                return;
            }

            _association = association;
            _helloTimer.Dispose();
        }

        WriteControl(new Frame { Welcome = new Welcome { Incarnation = (ulong)_remoting.Incarnation } });
        _remoting.Publish(new AssociatedEvent(_remoting.DefaultAddress, association.Remote, inbound: true));
    }

    private bool IsValid(Hello hello, [NotNullWhen(true)] out Address? origin)
    {
        origin = null;
        return hello.Version == OutboundConnection.Version && hello.Incarnation != 0
            && Address.TryParse(hello.Destination, out Address? meant) && _remoting.Provider.HasAddress(meant)
            && Address.TryParse(hello.Origin, out origin) && _remoting.IsAtOtherEnd(origin, _handle);
    }

    private void OnHelloMissing()
    {
        if (_association is null)
            End(Goodbye.Types.Reason.Refused);
    }

    private void OnBatch(Batch batch, Association association)
    {
        SystemAckRange? ack = null;
        foreach (AgentMesh.Engine.Wire.Envelope envelope in batch.Envelopes)
        {
            bool readable = _remoting.Inbox.TryRead(batch, envelope, association.Remote, out Action deliver);
            lock (_deliverGate)
            {
                if (_expired)
                    return;

                // A system message that cannot be read never will be: its place in the order is taken all the same.
                if (envelope.SystemSequence != 0)
                    ack = association.Receive((long)envelope.SystemSequence, readable ? deliver : static () => { });
                else if (readable)
                    deliver();
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
        if (Interlocked.Exchange(ref _ended, 1) != 0)
            return;
        if (_association is { } association && association.HungUp(this))
        {
            if (reason == Goodbye.Types.Reason.Quarantined)
                _remoting.Publish(new ThisActorSystemQuarantinedEvent(_remoting.DefaultAddress, association.Remote));
            if (reason == Goodbye.Types.Reason.Shutdown)
                _remoting.System.AddressTerminatedTopic.Publish(new Event.AddressTerminated(association.Remote));
        }

        Disassociate();
    }

    private void Refuse()
    {
        _remoting.Inbox.Malformed();
        End(Goodbye.Types.Reason.Refused);
    }

    private void End(Goodbye.Types.Reason reason)
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0)
            return;
        WriteControl(new Frame { Goodbye = new Goodbye { Reason = reason } });
        _association?.HungUp(this);
        Disassociate();
    }

    private void Leave()
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0)
            return;
        _association?.HungUp(this);
        _helloTimer.Dispose();
        _remoting.Ended(this);
    }

    private void Disassociate()
    {
        _helloTimer.Dispose();
        _remoting.Ended(this);
        _handle.Disassociate();
    }

    private void WriteControl(Frame frame)
    {
        ByteString payload = frame.ToByteString();
        _ = _handle is IControlLane lane ? lane.WriteControl(payload) : _handle.Write(payload);
    }
}
