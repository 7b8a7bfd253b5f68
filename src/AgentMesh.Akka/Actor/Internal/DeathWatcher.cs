using Akka.Dispatch.SysMsg;

namespace Akka.Actor.Internal;

/// <summary>Watches one actor for a task.</summary>
internal sealed class DeathWatcher : MinimalActorRef
{
    private readonly TaskCompletionSource<bool> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly IInternalActorRef _target;

    public DeathWatcher(IInternalActorRef target)
    {
        _target = target;
        Provider = target.Provider;
        Path = Provider.TempPath();
        Provider.RegisterTempActor(this, Path);
        target.SendSystemMessage(new Watch(target, this));
    }

    public override ActorPath Path { get; }

    public override IActorRefProvider Provider { get; }

    public Task<bool> Ended => _ended.Task;

    public override void SendSystemMessage(ISystemMessage message)
    {
        if (message is not DeathWatchNotification notification || !notification.Actor.Path.Equals(_target.Path))
            return;
        Provider.UnregisterTempActor(Path);
        _ended.TrySetResult(true);
    }

    public void Unwatch()
    {
        Provider.UnregisterTempActor(Path);
        _target.SendSystemMessage(new Unwatch(_target, this));
    }
}
