using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Event;

namespace Akka.Remote;

/// <summary>
/// Watches the systems that have watched actors: asks each for a heartbeat, and when one stays silent tells everybody who watches an actor there.
/// </summary>
internal class RemoteWatcher : UntypedActor, IRequiresMessageQueue<IUnboundedMessageQueueSemantics>, IWithTimers
{
    public const string ActorName = "remote-watcher";

    private readonly IFailureDetectorRegistry<Address> _detectors;
    private readonly Dictionary<Address, Node> _nodes = [];
    private readonly TimeSpan _interval;
    private readonly TimeSpan _expectFirstAfter;
    private readonly ActorSystemImpl _system = (ActorSystemImpl)Context.System;
    private readonly ILoggingAdapter _log = Context.GetLogger();

    public RemoteWatcher(IFailureDetectorRegistry<Address> detectors, RemotingSettings settings)
    {
        _detectors = detectors;
        _interval = settings.Watch.GetTimeSpan("heartbeat-interval");
        _expectFirstAfter = settings.Watch.GetTimeSpan("expected-response-after");
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart() => Timers.StartPeriodicTimer(Tick.Instance, Tick.Instance, _interval);

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Heartbeat:
                Sender.Tell(new HeartbeatRsp(AddressUidExtension.Uid(_system)), Self);
                break;
            case HeartbeatRsp answer:
                Heard(Sender.Path.Address, answer.AddressUid);
                break;
            case WatchRemote watch:
                Watch(watch);
                break;
            case UnwatchRemote unwatch:
                Unwatch(unwatch);
                break;
            case ExpectFirst expected when _nodes.TryGetValue(expected.Address, out Node? node) && node.Uid == 0 && !_detectors.IsMonitoring(expected.Address):
                // From here on silence counts.
                _detectors.Heartbeat(expected.Address);
                break;
            case ExpectFirst:
                break;
            case Tick:
                OnTick();
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    /// <summary>Members of the cluster are watched by the cluster.</summary>
    protected virtual bool IsWatchedByOthers(Address address) => false;

    protected void Forget(Address address)
    {
        _nodes.Remove(address);
        _detectors.Remove(address);
        Timers.Cancel(address);
    }

    protected void AddressIsGone(Address address, int? uid)
    {
        Forget(address);
        if (uid is { } known && known != 0)
            ((RemoteActorRefProvider)_system.Provider).Quarantine(address, known);
        _system.AddressTerminatedTopic.Publish(new AddressTerminated(address));
    }

    private void Watch(WatchRemote watch)
    {
        Address address = watch.Watchee.Path.Address;
        if (_nodes.TryGetValue(address, out Node? known))
        {
            known.Watches.Add((watch.Watchee, watch.Watcher));
            return;
        }

        _nodes.Add(address, new Node { Watches = { (watch.Watchee, watch.Watcher) } });
        Timers.StartSingleTimer(address, new ExpectFirst(address), _expectFirstAfter);
        Ask(address);
    }

    /// <summary>A system where nobody is watched any more is left in peace.</summary>
    private void Unwatch(UnwatchRemote unwatch)
    {
        Address address = unwatch.Watchee.Path.Address;
        if (!_nodes.TryGetValue(address, out Node? node))
            return;
        node.Watches.Remove((unwatch.Watchee, unwatch.Watcher));

        // What was watched by a path alone ends with whichever incarnation there was.
        if (unwatch.Watchee.Path.Uid != ActorCell.UndefinedUid)
            node.Watches.Remove((_system.Provider.ResolveActorRef(unwatch.Watchee.Path.WithUid(ActorCell.UndefinedUid)), unwatch.Watcher));
        if (node.Watches.Count == 0)
            Forget(address);
    }

    private void Heard(Address address, int uid)
    {
        if (!_nodes.TryGetValue(address, out Node? node))
            return;
        node.Uid = uid;
        _detectors.Heartbeat(address);
    }

    private void OnTick()
    {
        foreach ((Address address, Node node) in _nodes.ToArray())
        {
            if (IsWatchedByOthers(address))
            {
                Forget(address);
            }
            else if (!_detectors.IsAvailable(address))
            {
                _log.Warning("No heartbeat from [{0}] any more; whoever watches actors there is told", address);
                AddressIsGone(address, node.Uid);
            }
            else
            {
                Ask(address);
            }
        }
    }

    // Directly and not by a selection, so that it goes before ordinary messages.
    private void Ask(Address address) => _system.Provider.ResolveActorRef(new RootActorPath(address) / "system" / ActorName).Tell(Heartbeat.Instance, Self);

    internal sealed class Heartbeat : IDeadLetterSuppression
    {
        public static readonly Heartbeat Instance = new();
    }

    internal sealed record HeartbeatRsp(int AddressUid) : IDeadLetterSuppression;

    /// <summary>An actor of another system is watched.</summary>
    internal sealed record WatchRemote(IActorRef Watchee, IActorRef Watcher) : INoSerializationVerificationNeeded;

    /// <summary>It is not watched any more, or has ended.</summary>
    internal sealed record UnwatchRemote(IActorRef Watchee, IActorRef Watcher) : INoSerializationVerificationNeeded;

    private sealed class Node
    {
        /// <summary>0 before the first answer.</summary>
        public int Uid { get; set; }

        public HashSet<(IActorRef Watchee, IActorRef Watcher)> Watches { get; } = [];
    }

    private sealed record ExpectFirst(Address Address) : INoSerializationVerificationNeeded;

    private sealed class Tick : INoSerializationVerificationNeeded
    {
        public static readonly Tick Instance = new();
    }
}
