using System.Numerics;
using AgentMesh.Engine.Wire;
using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Dispatch.SysMsg;
using Akka.Event;

namespace Akka.Remote.Associations;

/// <summary>Turns envelopes from other systems into deliveries. What cannot be read is counted, logged and dropped; it never throws.</summary>
internal sealed class Inbox(RemoteActorRefProvider provider, ActorSystemImpl system, RemotingSettings settings)
{
    private readonly ILoggingAdapter _log = Logging.GetLogger(system, "Remoting.Inbox");
    private long _malformed;

    /// <summary>Frames and messages that could not be read.</summary>
    public long MalformedCount => Interlocked.Read(ref _malformed);

    public void Malformed() => Interlocked.Increment(ref _malformed);

    /// <param name="origin">The system that the transport has proven to be at the other end.</param>
    /// <returns>False when the envelope cannot be read, or may not be from whom it says.</returns>
    public bool TryRead(Batch batch, AgentMesh.Engine.Wire.Envelope envelope, Address origin, out Action deliver)
    {
        deliver = null!;
        if (envelope.Recipient >= batch.Paths.Count || envelope.Sender > batch.Paths.Count || envelope.Manifest > batch.Manifests.Count)
        {
            Malformed();
            return false;
        }

        string manifest = envelope.Manifest == 0 ? string.Empty : batch.Manifests[(int)envelope.Manifest - 1];
        object message;
        try
        {
            message = system.Serialization.Deserialize(envelope.Payload.ToByteArray(), envelope.Serializer, manifest);
        }
        catch (Exception error)
        {
            Dropped("A message with serializer [{0}] and manifest [{1}] cannot be read and was dropped: {2}", envelope.Serializer, manifest.Length <= 64 ? manifest : manifest[..64], error.Message);
            return false;
        }

        if (!ActorPath.TryParse(batch.Paths[(int)envelope.Recipient], out ActorPath? path) || !provider.HasAddress(path.Address))
        {
            Malformed();
            return false;
        }

        string sentBy = envelope.Sender == 0 ? string.Empty : batch.Paths[(int)envelope.Sender - 1];
        if (settings.OwnSendersOnly && sentBy.Length > 0 && !(ActorPath.TryParse(sentBy, out ActorPath? senderPath) && senderPath.Address.Equals(origin)))
        {
            Dropped("A message from [{0}] names a sender of another system and was dropped", origin);
            return false;
        }

        if (message is SystemMessage ? envelope.SystemSequence == 0 || !IsFrom(origin, message) : envelope.SystemSequence != 0)
        {
            Dropped("A message of type [{0}] from [{1}] is not for it to send and was dropped", message.GetType().Name, origin);
            return false;
        }

        IInternalActorRef recipient = provider.Local.ResolveLocal(path);
        IActorRef sender = sentBy.Length == 0 ? provider.DeadLetters : provider.ResolveActorRef(sentBy);
        deliver = () => TryDeliver(recipient, message, sender);
        return true;
    }

    /// <summary>A system watches for its own actors and reports the end of its own actors, nobody else's.</summary>
    private bool IsFrom(Address origin, object message) => message switch
    {
        Watch watch => watch.Watcher.Path.Address.Equals(origin) && IsOwn(watch.Watchee),
        Unwatch unwatch => unwatch.Watcher.Path.Address.Equals(origin) && IsOwn(unwatch.Watchee),
        DeathWatchNotification notification => notification.Actor.Path.Address.Equals(origin),
        _ => true,
    };

    private bool IsOwn(IActorRef actor) => provider.HasAddress(actor.Path.Address);

    private void TryDeliver(IInternalActorRef recipient, object message, IActorRef sender)
    {
        try
        {
            Deliver(recipient, message, sender);
        }
        catch (Exception error)
        {
            Dropped("A message of type [{0}] could not be delivered to [{1}]: {2}", message.GetType().Name, recipient.Path, error.Message);
        }
    }

    /// <summary>A peer that sends nothing else must not fill the log: the first, second, fourth, eighth and so on is a warning.</summary>
    private void Dropped(string format, params object[] arguments)
    {
        long count = Interlocked.Increment(ref _malformed);
        if (BitOperations.IsPow2(count))
            _log.Warning(format + " (so far {" + arguments.Length + "} were dropped)", [.. arguments, count]);
        else
            _log.Debug(format, arguments);
    }

    private void Deliver(IInternalActorRef recipient, object message, IActorRef sender)
    {
        switch (message)
        {
            case var _ when settings.RefuseHarmful && Innermost(message) is (IPossiblyHarmful or Kill) and var harmful:
                Dropped("A message of type [{0}] for [{1}], which ends actors, was dropped", harmful.GetType().Name, recipient.Path);
                break;
            case ActorSelectionMessage selection:
                DeliverSelection(recipient, selection, sender);
                break;
            case SystemMessage systemMessage:
                if (systemMessage is DeathWatchNotification ended)
                    provider.RemoteWatcher.Tell(new RemoteWatcher.UnwatchRemote(ended.Actor, recipient), ActorRefs.NoSender);
                recipient.SendSystemMessage(systemMessage);
                break;
            default:
                recipient.Tell(message, sender);
                break;
        }
    }

    private void DeliverSelection(IInternalActorRef anchor, ActorSelectionMessage selection, IActorRef sender)
    {
        if (settings.UntrustedMode)
        {
            string path = "/" + string.Join('/', selection.Elements.AsEnumerable());
            if (anchor.Path.Depth != 0 || !settings.TrustedSelectionPaths.Contains(path))
                return;
        }

        ActorSelection.DeliverSelection(anchor, sender, selection);
    }

    // Selections and sharding envelopes may carry one another.
    private static object Innermost(object message)
    {
        while (message is IWrappedMessage wrapped)
            message = wrapped.Message;
        return message;
    }
}
