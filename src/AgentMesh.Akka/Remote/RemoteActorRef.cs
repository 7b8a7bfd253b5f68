using Akka.Actor;
using Akka.Dispatch.SysMsg;

namespace Akka.Remote;

/// <summary>A reference to an actor of another system.</summary>
public class RemoteActorRef : InternalActorRefBase
{
    private readonly RemoteActorRefProvider _provider;

    internal RemoteActorRef(RemoteActorRefProvider provider, ActorPath path)
    {
        _provider = provider;
        Path = path;
        IsControl = path.Depth > 1 && path.ParentOf(1).Name == "system" && path.ParentOf(2).Name is "cluster" or RemoteWatcher.ActorName;
    }

    public override ActorPath Path { get; }

    public override IActorRefProvider Provider => _provider;

    public override IInternalActorRef Parent => Path.Depth == 0 ? this : new RemoteActorRef(_provider, Path.Parent);

    public override bool IsLocal => false;

    public override bool IsTerminated => false;

    /// <summary>An actor that the life of the cluster depends on: its messages go before ordinary ones.</summary>
    internal bool IsControl { get; }

    public override IActorRef GetChild(IReadOnlyList<string> name)
    {
        ActorPath path = Path;
        foreach (string element in name)
            path = element == ".." ? path.Parent : element.Length == 0 ? path : path / element;
        return new RemoteActorRef(_provider, path);
    }

    public override void SendSystemMessage(ISystemMessage message)
    {
        if (message is Watch watch && watch.Watchee.Equals(this))
            _provider.RemoteWatcher.Tell(new RemoteWatcher.WatchRemote(this, watch.Watcher), ActorRefs.NoSender);
        else if (message is Unwatch unwatch && unwatch.Watchee.Equals(this))
            _provider.RemoteWatcher.Tell(new RemoteWatcher.UnwatchRemote(this, unwatch.Watcher), ActorRefs.NoSender);
        _provider.Remoting.SendSystem((SystemMessage)message, this);
    }

    public override void Start()
    {
        // It runs elsewhere.
    }

    public override void Stop() => SendSystemMessage(new Terminate());

    public override void Suspend() => SendSystemMessage(new Suspend());

    public override void Resume(Exception causedByFailure = null!) => SendSystemMessage(new Resume(causedByFailure));

    public override void Restart(Exception cause) => SendSystemMessage(new Recreate(cause));

    protected override void TellInternal(object message, IActorRef sender)
    {
        ArgumentNullException.ThrowIfNull(message);
        _provider.Remoting.Send(message, sender, this);
    }
}
