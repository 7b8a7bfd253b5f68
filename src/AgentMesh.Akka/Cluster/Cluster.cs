using System.Collections.Immutable;
using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Cluster.Membership;
using Akka.Configuration;
using Akka.Event;
using Akka.Remote;
using Akka.Util.Internal;

namespace Akka.Cluster;

/// <summary>This actor system as a member of a cluster. Needs <c>akka.actor.provider = cluster</c>.</summary>
public class Cluster : IExtension
{
    private readonly IActorRef _core;
    private readonly object _gate = new();
    private readonly List<Action> _onUp = [];
    private readonly List<Action> _onRemoved = [];
    private readonly TaskCompletionSource _exiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _removed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile ClusterEvent.CurrentClusterState _state = new();
    private volatile bool _terminated;
    private bool _wasUp;

    public Cluster(ActorSystemImpl system)
    {
        System = system;
        if (system.Provider is not ClusterActorRefProvider)
            throw new ConfigurationException($"The actor system has the provider {system.Provider.GetType().Name}; a cluster needs akka.actor.provider = cluster");
        Settings = new ClusterSettings(system.Settings.Config, system.Name);
        SelfUniqueAddress = new UniqueAddress(system.Provider.DefaultAddress, AddressUidExtension.Uid(system));
        FailureDetector = new DefaultFailureDetectorRegistry<Address>(() => FailureDetectorLoader.Load(Settings.FailureDetectorImplementationClass, Settings.FailureDetectorConfig, system));
        _core = system.SystemActorOf(Props.Create(() => new ClusterCore(this)).WithDispatcher(Dispatch.Dispatchers.InternalDispatcherId), ClusterCore.ActorName);
        DowningProvider = TypeResolver.Create<IDowningProvider>(Settings.DowningProviderType.AssemblyQualifiedName!, "akka.cluster.downing-provider-class", system, this);
        AddShutdownTasks(CoordinatedShutdown.Get(system));
    }

    public ExtendedActorSystem System { get; }

    public ClusterSettings Settings { get; }

    public UniqueAddress SelfUniqueAddress { get; }

    public Address SelfAddress => SelfUniqueAddress.Address;

    public ImmutableHashSet<string> SelfRoles => Settings.Roles;

    public DefaultFailureDetectorRegistry<Address> FailureDetector { get; }

    public IDowningProvider DowningProvider { get; }

    /// <summary>The state as this member knows it now.</summary>
    public ClusterEvent.CurrentClusterState State => _state;

    /// <summary>Removed while this system is no member: before it is let in as well.</summary>
    public Member SelfMember => _state.Members.FirstOrDefault(member => member.UniqueAddress == SelfUniqueAddress)
        ?? new Member(SelfUniqueAddress, Member.NotUpYet, MemberStatus.Removed, SelfRoles);

    public bool IsTerminated => _terminated;

    /// <summary>Weakly up counts.</summary>
    public bool IsUp => SelfMember.Status is MemberStatus.Up or MemberStatus.WeaklyUp;

    // Alone, or not a member: nobody needs to agree.
    private bool IsWithOthers => !_terminated && _state.Members.Count > 1;

    public static Cluster Get(ActorSystem system) => (Cluster)system.RegisterExtension(new ClusterExtension());

    /// <summary>Joins the cluster of the member there; joining oneself begins a cluster.</summary>
    public void Join(Address address) => _core.Tell(new ClusterCore.JoinTo(address));

    /// <returns>Completes when this member is up; fails with <see cref="ClusterJoinFailedException"/> when it was removed before.</returns>
    public Task JoinAsync(Address address, CancellationToken token = default)
    {
        Task up = UpAsync(token);
        Join(address);
        return up;
    }

    /// <summary>Joins through the first that answers. The first of the list begins a cluster when none of the others has one.</summary>
    public void JoinSeedNodes(IEnumerable<Address> seedNodes) => _core.Tell(new ClusterCore.JoinSeeds([.. seedNodes]));

    /// <inheritdoc cref="JoinAsync"/>
    public Task JoinSeedNodesAsync(IEnumerable<Address> seedNodes, CancellationToken token = default)
    {
        Task up = UpAsync(token);
        JoinSeedNodes(seedNodes);
        return up;
    }

    /// <summary>Takes the member out in good order: it hands over what it has, is removed, and its actor system ends.</summary>
    public void Leave(Address address) => _core.Tell(new ClusterCore.LeaveTo(address));

    /// <inheritdoc cref="Leave"/>
    /// <returns>Completes when this member is removed.</returns>
    public Task LeaveAsync() => LeaveAsync(CancellationToken.None);

    public Task LeaveAsync(CancellationToken cancellationToken)
    {
        Leave(SelfAddress);
        return _removed.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Gives the member up: it is removed, and its incarnation never comes back.</summary>
    public void Down(Address address) => _core.Tell(new ClusterCore.DownTo(address));

    public void Subscribe(IActorRef subscriber, params Type[] to) => Subscribe(subscriber, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsSnapshot, to);

    /// <param name="to"><see cref="ClusterEvent.IClusterDomainEvent"/> or types of it.</param>
    /// <exception cref="ArgumentException">There is no type, or one is no event of the cluster.</exception>
    public void Subscribe(IActorRef subscriber, ClusterEvent.SubscriptionInitialStateMode initialStateMode, params Type[] to)
    {
        if (to.Length == 0)
            throw new ArgumentException("At least one type of event is needed", nameof(to));
        if (to.FirstOrDefault(type => !typeof(ClusterEvent.IClusterDomainEvent).IsAssignableFrom(type)) is { } foreign)
            throw new ArgumentException($"{foreign.Name} is no {nameof(ClusterEvent.IClusterDomainEvent)}", nameof(to));
        _core.Tell(new Subscribers.Subscribe(subscriber, initialStateMode, to));
    }

    public void Unsubscribe(IActorRef subscriber) => _core.Tell(new Subscribers.Unsubscribe(subscriber, null));

    public void Unsubscribe(IActorRef subscriber, Type to) => _core.Tell(new Subscribers.Unsubscribe(subscriber, to));

    public void SendCurrentClusterState(IActorRef receiver) => _core.Tell(new Subscribers.SendState(receiver));

    /// <summary>Runs once when this member is up or weakly up; at once when it is already.</summary>
    public void RegisterOnMemberUp(Action callback)
    {
        lock (_gate)
        {
            if (!_wasUp)
            {
                _onUp.Add(callback);
                return;
            }
        }

        callback();
    }

    /// <summary>Runs once when this member is no longer one; at once when that is so already.</summary>
    public void RegisterOnMemberRemoved(Action callback)
    {
        lock (_gate)
        {
            if (!_terminated)
            {
                _onRemoved.Add(callback);
                return;
            }
        }

        callback();
    }

    public ActorPath RemotePathOf(IActorRef actorRef) => actorRef.Path.Address.Host is { Length: > 0 } ? actorRef.Path : new RootActorPath(SelfAddress) / actorRef.Path.Elements;

    internal void StartDowning()
    {
        if (DowningProvider.DowningActorProps is { } props)
            System.SystemActorOf(props, "cluster-downing");
    }

    internal void Set(ClusterEvent.CurrentClusterState state) => _state = state;

    internal void Told(IEnumerable<ClusterEvent.IClusterDomainEvent> events, ILoggingAdapter log)
    {
        if (!events.Any(each => each is ClusterEvent.MemberUp or ClusterEvent.MemberWeaklyUp && ((ClusterEvent.IMemberEvent)each).Member.UniqueAddress == SelfUniqueAddress))
            return;
        Action[] callbacks;
        lock (_gate)
        {
            _wasUp = true;
            callbacks = [.. _onUp];
            _onUp.Clear();
        }

        Run(callbacks, log);
    }

    /// <summary>The others agree that this member leaves: it hands over and ends.</summary>
    internal void SelfExiting()
    {
        _exiting.TrySetResult();
        _ = CoordinatedShutdown.Get(System).Run(CoordinatedShutdown.ClusterLeavingReason.Instance);
    }

    internal void SelfRemoved(bool leftByItself)
    {
        CoreStopped();
        if (leftByItself)
            _ = CoordinatedShutdown.Get(System).Run(CoordinatedShutdown.ClusterLeavingReason.Instance);
        else if (Settings.RunCoordinatedShutdownWhenDown)
            _ = CoordinatedShutdown.Get(System).Run(CoordinatedShutdown.ClusterDowningReason.Instance);
    }

    internal void CoreStopped()
    {
        Action[] callbacks;
        lock (_gate)
        {
            if (_terminated)
                return;
            _terminated = true;
            callbacks = [.. _onRemoved];
            _onRemoved.Clear();
        }

        _removed.TrySetResult();
        Run(callbacks, System.Log);
    }

    // What a program does there must not end its membership.
    private static void Run(Action[] callbacks, ILoggingAdapter log)
    {
        foreach (Action callback in callbacks)
        {
            try
            {
                callback();
            }
            catch (Exception error)
            {
                log.Error(error, "A callback for a change of this member failed");
            }
        }
    }

    private Task UpAsync(CancellationToken token)
    {
        var up = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        RegisterOnMemberRemoved(() => up.TrySetException(new ClusterJoinFailedException("This member was removed; only a new actor system can join")));
        RegisterOnMemberUp(() => up.TrySetResult());
        return up.Task.WaitAsync(token);
    }

    private void AddShutdownTasks(CoordinatedShutdown shutdown)
    {
        shutdown.AddTask(CoordinatedShutdown.PhaseClusterLeave, "leave", async () =>
        {
            if (IsWithOthers)
            {
                _core.Tell(ClusterCore.LeaveForGood.Instance);
                await Task.WhenAny(_exiting.Task, _removed.Task).ConfigureAwait(false);
            }

            return Done.Instance;
        });
        shutdown.AddTask(CoordinatedShutdown.PhaseClusterExitingDone, "confirm-exit", async () =>
        {
            if (IsWithOthers)
            {
                _core.Tell(ClusterCore.ConfirmExit.Instance);
                await _removed.Task.ConfigureAwait(false);
            }

            return Done.Instance;
        });
        shutdown.AddTask(CoordinatedShutdown.PhaseClusterShutdown, "shut-down", async () =>
        {
            _core.Tell(ClusterCore.ShutDown.Instance);
            await _removed.Task.ConfigureAwait(false);
            return Done.Instance;
        });
    }
}

public class ClusterExtension : ExtensionIdProvider<Cluster>
{
    public override Cluster CreateExtension(ExtendedActorSystem system) => new((ActorSystemImpl)system);
}

/// <summary>This member could not become one.</summary>
public class ClusterJoinFailedException : AkkaException
{
    public ClusterJoinFailedException(string message)
        : base(message)
    {
    }
}
