using Akka.Dispatch.SysMsg;
using Akka.Event;
using Akka.Util;

namespace Akka.Actor;

/// <summary>Death watch: each watched actor is reported once, after its last message was handled.</summary>
public partial class ActorCell
{
    private static readonly object NoCustomMessage = new();

    /// <summary>Watched actors and what to send instead of <see cref="Terminated"/>.</summary>
    private Dictionary<IActorRef, object>? _watching;

    private HashSet<IActorRef>? _watchedBy;

    /// <summary>Actors whose <see cref="Terminated"/> lies in the mailbox.</summary>
    private Dictionary<IActorRef, object>? _terminatedQueued;

    private bool _subscribedToAddresses;

    public IActorRef Watch(IActorRef subject) => WatchFor(subject, NoCustomMessage);

    /// <param name="message">Comes instead of <see cref="Terminated"/>.</param>
    /// <exception cref="InvalidOperationException">The actor is watched already, with another message.</exception>
    public IActorRef WatchWith(IActorRef subject, object message) => WatchFor(subject, message ?? throw new InvalidMessageException("The message of WatchWith is null"));

    public IActorRef Unwatch(IActorRef subject)
    {
        if (_watching?.Remove(subject) == true)
        {
            ((IInternalActorRef)subject).SendSystemMessage(new Unwatch((IInternalActorRef)subject, _self));
            MaintainAddressSubscription(subject);
        }

        _terminatedQueued?.Remove(subject);
        return subject;
    }

    /// <summary>A <see cref="Terminated"/> goes into the mailbox (again).</summary>
    public void TerminatedQueuedFor(IActorRef subject, Option<object> customMessage) =>
        (_terminatedQueued ??= []).TryAdd(subject, customMessage.HasValue ? customMessage.Value : NoCustomMessage);

    protected void ReceivedTerminated(Terminated t)
    {
        if (_terminatedQueued is null || !_terminatedQueued.Remove(t.ActorRef, out object? custom))
            return;
        object message = ReferenceEquals(custom, NoCustomMessage) ? t : custom;
        ReplaceCurrentMessage(message);
        ReceiveMessage(message);
    }

    protected void WatchedActorTerminated(IActorRef actor, bool existenceConfirmed, bool addressTerminated)
    {
        if (TryTakeWatching(actor, out object? custom))
        {
            MaintainAddressSubscription(actor);
            if (!IsTerminating)
            {
                TerminatedQueuedFor(actor, custom);
                Self.Tell(new Terminated(actor, existenceConfirmed, addressTerminated), actor);
            }
        }

        if (TryGetChildStatsByRef(actor, out _))
            HandleChildTerminated(actor);
    }

    protected void AddWatcher(IActorRef watchee, IActorRef watcher)
    {
        if (watchee.Equals(Self) && !watcher.Equals(Self))
        {
            if (!(_watchedBy ??= []).Add(watcher))
                return;
            MaintainAddressSubscription(watcher);
            DebugLifecycle($"now watched by {watcher}");
        }
        else if (watcher.Equals(Self))
        {
            Watch(watchee);
        }
    }

    protected void RemWatcher(IActorRef watchee, IActorRef watcher)
    {
        if (watchee.Equals(Self))
        {
            if (_watchedBy?.Remove(watcher) == true)
                MaintainAddressSubscription(watcher);
        }
        else if (watcher.Equals(Self))
        {
            Unwatch(watchee);
        }
    }

    /// <summary>The whole system at an address is gone.</summary>
    protected void AddressTerminated(Address address)
    {
        _watchedBy?.RemoveWhere(watcher => watcher.Path.Address == address);
        foreach (IActorRef subject in _watching?.Keys.Where(a => a.Path.Address == address).ToArray() ?? [])
        {
            bool existed = TryGetChildStatsByRef(subject, out _);
            _self.SendSystemMessage(new DeathWatchNotification(subject, existed, addressTerminated: true));
        }

        MaintainAddressSubscription();
    }

    protected void TellWatchersWeDied()
    {
        if (_watchedBy is null)
            return;

        // Watchers on other nodes first: when this system goes down, the local ones may take the connection down with them.
        foreach (IActorRef watcher in _watchedBy.OrderBy(IsLocalRef))
            ((IInternalActorRef)watcher).SendSystemMessage(new DeathWatchNotification(Self, existenceConfirmed: true, addressTerminated: false));
        _watchedBy = null;
    }

    protected void UnwatchWatchedActors(ActorBase actor)
    {
        foreach (IActorRef subject in _watching?.Keys.ToArray() ?? [])
            ((IInternalActorRef)subject).SendSystemMessage(new Unwatch((IInternalActorRef)subject, _self));
        _watching = null;
        _terminatedQueued = null;
        MaintainAddressSubscription();
    }

    private static bool IsLocalRef(IActorRef actor) => actor is not IActorRefScope { IsLocal: false };

    private IActorRef WatchFor(IActorRef subject, object custom)
    {
        if (subject.Equals(Self))
            return subject;
        if (_watching is not null && _watching.TryGetValue(subject, out object? present))
        {
            if (!Equals(present, custom))
                throw new InvalidOperationException($"{subject} is watched by {Self} with another termination message; unwatch it first");
            return subject;
        }

        (_watching ??= [])[subject] = custom;

        // First: the other system may be given up, and the message dropped, as soon as it is sent.
        MaintainAddressSubscription(subject);
        ((IInternalActorRef)subject).SendSystemMessage(new Watch((IInternalActorRef)subject, _self));
        return subject;
    }

    private bool TryTakeWatching(IActorRef actor, out object custom)
    {
        custom = null!;
        if (_watching is null)
            return false;
        if (_watching.Remove(actor, out custom!))
            return true;

        // A reference that was made from a path without a uid stands for whichever incarnation there is.
        IActorRef? withoutUid = _watching.Keys.FirstOrDefault(k => k.Path.Uid == UndefinedUid && k.Path.Equals(actor.Path));
        return withoutUid is not null && _watching.Remove(withoutUid, out custom!);
    }

    /// <summary>One came or went. A local one changes nothing, and an actor with thousands of children watches thousands of those.</summary>
    private void MaintainAddressSubscription(IActorRef changed)
    {
        if (!IsLocalRef(changed))
            MaintainAddressSubscription();
    }

    private void MaintainAddressSubscription()
    {
        bool needed = (_watching?.Keys.Any(a => !IsLocalRef(a)) ?? false) || (_watchedBy?.Any(a => !IsLocalRef(a)) ?? false);
        if (needed == _subscribedToAddresses)
            return;
        _subscribedToAddresses = needed;
        if (needed)
            _system.AddressTerminatedTopic.Subscribe(_self);
        else
            _system.AddressTerminatedTopic.Unsubscribe(_self);
    }
}
