using Akka.Actor;
using Akka.Configuration;

namespace Akka.Remote.Transport;

/// <summary>
/// Carries payloads between actor systems. An implementation is named by <c>transport-class</c> and made with a constructor
/// (ActorSystem, Config). Payloads of one association arrive in order or not at all; the association ends when one is lost.
/// </summary>
public abstract class Transport
{
    /// <summary>The settings of this transport.</summary>
    public Config Config { get; protected set; } = null!;

    public ActorSystem System { get; protected set; } = null!;

    /// <summary>Names the transport in addresses: <c>test</c> becomes <c>akka.test://…</c>.</summary>
    public virtual string SchemeIdentifier { get; protected set; } = null!;

    public virtual long MaximumPayloadBytes { get; protected set; }

    /// <summary>Starts to accept associations, once the caller has set the listener.</summary>
    /// <returns>The own address, without the <c>akka.</c> prefix of the scheme.</returns>
    public abstract Task<(Address, TaskCompletionSource<IAssociationEventListener>)> Listen();

    public abstract bool IsResponsibleFor(Address remote);

    /// <summary>Opens an association. The task fails with <see cref="InvalidAssociationException"/> or another exception when that is not possible.</summary>
    public abstract Task<AssociationHandle> Associate(Address remoteAddress);

    /// <summary>Ends everything. True when everything that was written has been sent.</summary>
    public abstract Task<bool> Shutdown();

    /// <returns>True when the transport knows the command.</returns>
    public virtual Task<bool> ManagementCommand(object message) => Task.FromResult(false);
}

/// <summary>An association that somebody wants cannot be.</summary>
public class InvalidAssociationException : AkkaException
{
    public InvalidAssociationException(string message, Exception cause = null!)
        : base(message, cause)
    {
    }
}

/// <summary>The remote side broke the rules of the association.</summary>
public class AkkaProtocolException : AkkaException
{
    public AkkaProtocolException(string message, Exception cause = null!)
        : base(message, cause)
    {
    }
}
