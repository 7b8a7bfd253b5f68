using AgentMesh.Engine.Remote;
using AgentMesh.Engine.Wire;
using Akka.Actor;
using Akka.Remote.Transport;
using Google.Protobuf;

namespace Akka.Remote.Associations;

/// <summary>One connection of an <see cref="Association"/>, opened by this side. What comes back are greetings and acknowledgements only.</summary>
internal sealed class OutboundConnection : IHandleEventListener
{
    public const uint Version = 1;

    private readonly Association _association;
    private readonly AssociationHandle _handle;
    private readonly TaskCompletionSource<long> _welcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _ended;

    public OutboundConnection(Association association, AssociationHandle handle)
    {
        _association = association;
        _handle = handle;
    }

    /// <summary>Taken from the lanes and not yet taken over by the transport.</summary>
    public ByteString? PendingControl { get; set; }

    public ByteString? PendingOrdinary { get; set; }

    public Goodbye.Types.Reason End { get; private set; }

    /// <returns>The incarnation of the other side.</returns>
    public async Task<long> GreetAsync(Address origin, long incarnation, ulong attempt, TimeSpan within, TimeProvider clock)
    {
        _handle.ReadHandlerSource.TrySetResult(this);
        var hello = new Frame { Hello = new Hello { Version = Version, Origin = origin.ToString(), Destination = _association.Remote.ToString(), Incarnation = (ulong)incarnation, Attempt = attempt } };
        if (!WriteControl(hello.ToByteString()))
            throw new InvalidAssociationException($"{_association.Remote} takes no greeting");
        return await _welcome.Task.WaitAsync(within, clock).ConfigureAwait(false);
    }

    public bool TryWriteControl()
    {
        if (PendingControl is not { } payload)
            return true;
        if (!WriteControl(payload))
            return false;
        PendingControl = null;
        return true;
    }

    public bool TryWriteOrdinary()
    {
        if (PendingOrdinary is not { } payload)
            return true;
        if (!_handle.Write(payload))
            return false;
        PendingOrdinary = null;
        return true;
    }

    /// <summary>Waits until a write is worth another try.</summary>
    /// <param name="hurry">Ends the wait as well.</param>
    public async Task WritableAsync(TimeSpan wait, Task hurry, TimeProvider clock)
    {
        if (_handle is not IWriteReadiness readiness)
        {
            await Task.Delay(wait, clock).ConfigureAwait(false);
            return;
        }

        var writable = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        readiness.NotifyWhenWritable(() => writable.TrySetResult());
        await Task.WhenAny(writable.Task, hurry, Task.Delay(TimeSpan.FromMilliseconds(100), clock)).ConfigureAwait(false);
    }

    public void Notify(IHandleEvent ev)
    {
        switch (ev)
        {
            case InboundPayload payload:
                Handle(payload.Payload);
                break;
            case Disassociated disassociated:
                Ended(disassociated.Info switch
                {
                    DisassociateInfo.Shutdown => Goodbye.Types.Reason.Shutdown,
                    DisassociateInfo.Quarantined => Goodbye.Types.Reason.Quarantined,
                    _ => Goodbye.Types.Reason.Unknown,
                });
                break;
        }
    }

    public void Close(Goodbye.Types.Reason reason)
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0)
            return;
        if (reason != Goodbye.Types.Reason.Unknown)
            WriteControl(new Frame { Goodbye = new Goodbye { Reason = reason } }.ToByteString());
        _handle.Disassociate();
    }

    private bool WriteControl(ByteString payload) => _handle is IControlLane lane ? lane.WriteControl(payload) : _handle.Write(payload);

    private void Handle(ByteString payload)
    {
        Frame frame;
        try
        {
            frame = Frame.Parser.ParseFrom(payload);
        }
        catch (InvalidProtocolBufferException)
        {
            Ended(Goodbye.Types.Reason.Unknown);
            return;
        }

        switch (frame.KindCase)
        {
            case Frame.KindOneofCase.Welcome when frame.Welcome.Incarnation != 0:
                _welcome.TrySetResult((long)frame.Welcome.Incarnation);
                break;
            case Frame.KindOneofCase.SystemAck:
                _association.Acknowledged(this, frame.SystemAck);
                break;
            case Frame.KindOneofCase.Goodbye:
                Ended(frame.Goodbye.Reason);
                break;
        }
    }

    private void Ended(Goodbye.Types.Reason reason)
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0)
            return;
        End = reason;
        _welcome.TrySetException(new InvalidAssociationException($"{_association.Remote} ended the connection ({reason})"));
        _handle.Disassociate();
        _association.Lost(this, reason);
    }
}
