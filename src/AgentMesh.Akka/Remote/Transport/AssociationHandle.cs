using Akka.Actor;
using Akka.Event;
using Google.Protobuf;

namespace Akka.Remote.Transport;

/// <summary>One end of an association. Nothing is read before <see cref="ReadHandlerSource"/> is set.</summary>
public abstract class AssociationHandle
{
    protected AssociationHandle(Address localAddress, Address remoteAddress)
    {
        LocalAddress = localAddress;
        RemoteAddress = remoteAddress;
        ReadHandlerSource = new TaskCompletionSource<IHandleEventListener>();
    }

    public Address LocalAddress { get; protected set; }

    public Address RemoteAddress { get; protected set; }

    public TaskCompletionSource<IHandleEventListener> ReadHandlerSource { get; protected set; }

    /// <summary>Takes a payload over, or refuses it when the send buffer is full or the association is gone. Never waits. Thread-safe.</summary>
    public abstract bool Write(ByteString payload);

    /// <summary>Ends the association. Payloads on their way may be lost. May be called more than once.</summary>
    public abstract void Disassociate();

    public void Disassociate(string reason, ILoggingAdapter log)
    {
        if (log.IsDebugEnabled)
            log.Debug("Association between local [{0}] and remote [{1}] is ended: {2}", LocalAddress, RemoteAddress, reason);
        Disassociate();
    }

    public override bool Equals(object? obj) => obj is AssociationHandle other && other.GetType() == GetType() && Equals(other);

    public override int GetHashCode() => HashCode.Combine(LocalAddress, RemoteAddress);

    protected bool Equals(AssociationHandle other) => LocalAddress == other.LocalAddress && RemoteAddress == other.RemoteAddress;
}
