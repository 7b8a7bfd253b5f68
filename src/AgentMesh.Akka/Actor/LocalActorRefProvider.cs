using Akka.Actor.Internal;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Event;
using Akka.Serialization;
using Akka.Util;

namespace Akka.Actor;

/// <summary>Actors of this process: the root guardian with /user, /system, /temp and what remoting adds.</summary>
public sealed class LocalActorRefProvider : IActorRefProvider
{
    /// <summary>Eight letters in a name.</summary>
    private const long TempNames = 1L << 48;

    private readonly Dictionary<string, IInternalActorRef> _extraNames = new(StringComparer.Ordinal);
    private readonly Func<ActorPath, IInternalActorRef> _deadLettersFactory;
    private readonly TaskCompletionSource<Status> _terminated = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ActorPath _tempNode;
    private ActorSystemImpl _system = null!;
    private RootGuardianActorRef _rootGuardian = null!;
    private TempActors _temp = null!;
    private MailboxType _defaultMailbox = null!;
    private MessageDispatcher _internalDispatcher = null!;
    private Information? _information;

    /// <summary>
    /// From anywhere: a name under /temp has no uid, and an answer that comes late, to a question of an earlier system at this address, must not find one of this system under the same name.
    /// </summary>
    private long _nextTemp;

    public LocalActorRefProvider(string systemName, Settings settings, EventStream eventStream)
        : this(systemName, settings, eventStream, null!, null!)
    {
    }

    /// <param name="deployer">Null: one of the settings.</param>
    /// <param name="deadLettersFactory">Null: the local dead letters.</param>
    public LocalActorRefProvider(string systemName, Settings settings, EventStream eventStream, Deployer deployer, Func<ActorPath, IInternalActorRef> deadLettersFactory)
    {
        Settings = settings;
        _nextTemp = settings.Random.NextInt64(TempNames);
        EventStream = eventStream;
        Deployer = deployer ?? new Deployer(settings);
        RootPath = new RootActorPath(new Address("akka", systemName));
        Log = Logging.GetLogger(eventStream, "LocalActorRefProvider(" + RootPath.Address + ")");
        _tempNode = RootPath / "temp";
        _deadLettersFactory = deadLettersFactory ?? (path => new DeadLetterActorRef(this, path, eventStream));
        DeadLetters = _deadLettersFactory(RootPath / "deadLetters");
        IgnoreRef = new IgnoreActorRef(this, RootPath / "ignore");
    }

    public ActorPath RootPath { get; }

    public Settings Settings { get; }

    public EventStream EventStream { get; }

    public Deployer Deployer { get; }

    public ILoggingAdapter Log { get; }

    public IActorRef DeadLetters { get; }

    public IActorRef IgnoreRef { get; }

    public IInternalActorRef RootGuardian => _rootGuardian;

    public LocalActorRef Guardian { get; private set; } = null!;

    public LocalActorRef SystemGuardian { get; private set; } = null!;

    public IInternalActorRef TempContainer => _temp;

    public Task TerminationTask => _terminated.Task;

    public Address DefaultAddress => RootPath.Address;

    public Information SerializationInformation => _information ??= new Information(DefaultAddress, _system);

    public void Init(ActorSystemImpl system)
    {
        _system = system;
        _defaultMailbox = system.Mailboxes.Lookup(Mailboxes.DefaultMailboxId);
        _internalDispatcher = system.Dispatchers.Lookup(Dispatchers.InternalDispatcherId);
        var supervisor = new RootGuardianSupervisor((RootActorPath)RootPath, this, _terminated, Log);
        SupervisorStrategy rootStrategy = new OneForOneStrategy(cause =>
        {
            Log.Error(cause, "A guardian failed; the system is going down");
            return Directive.Stop;
        });
        Props rootProps = Props.Create<GuardianActor>().WithSupervisorStrategy(rootStrategy);
        _rootGuardian = new RootGuardianActorRef(system, rootProps, _internalDispatcher, _defaultMailbox, supervisor, RootPath, (IInternalActorRef)DeadLetters, _extraNames);
        _temp = new TempActors(this, _tempNode, _rootGuardian);
        _rootGuardian.SetTempContainer(_temp);
        Guardian = MakeGuardian("user", GuardianProps(system));
        SystemGuardian = MakeGuardian("system", Props.Create(() => new SystemGuardianActor(Guardian)).WithSupervisorStrategy(SupervisorStrategy.DefaultStrategy));
        _rootGuardian.Start();
        Guardian.Start();
        SystemGuardian.Start();
        _rootGuardian.SendSystemMessage(new Dispatch.SysMsg.Watch(SystemGuardian, _rootGuardian));
        EventStream.StartUnsubscriber(system);
    }

    /// <summary>A name below the root that is no actor.</summary>
    public void RegisterExtraName(string name, IInternalActorRef actor) => _extraNames.Add(name, actor);

    public IActorRef RootGuardianAt(Address address) => address == RootPath.Address ? _rootGuardian : DeadLetters;

    public Address GetExternalAddressFor(Address address) => address == RootPath.Address ? address : null!;

    public ActorPath TempPath() => new ChildActorPath(_tempNode, Base64Names.Of(Interlocked.Increment(ref _nextTemp)), ActorCell.UndefinedUid);

    /// <param name="path">A <see cref="TempPath"/>.</param>
    public void RegisterTempActor(IInternalActorRef actorRef, ActorPath path) => _temp.Add(path.Name, actorRef);

    public void UnregisterTempActor(ActorPath path) => _temp.Remove(path.Name);

    public FutureActorRef<T> CreateFutureRef<T>(TaskCompletionSource<T> tcs) => new(tcs, this);

    public IInternalActorRef ActorOf(ActorSystemImpl system, Props props, IInternalActorRef supervisor, ActorPath path, bool systemService, Deploy deploy, bool lookupDeploy, bool async)
    {
        Deploy? decided = deploy;
        if (lookupDeploy && Deployer.Lookup(path) is { } configured)
            decided = deploy is null ? configured : deploy.WithFallback(configured);
        if (decided is not null)
            props = props.WithDeploy(decided);
        RefuseWhatIsAbsent(props.Deploy, path);
        string dispatcherId = props.Dispatcher ?? (systemService ? Dispatchers.InternalDispatcherId : Dispatchers.DefaultDispatcherId);
        MessageDispatcher dispatcher;
        try
        {
            dispatcher = system.Dispatchers.Lookup(dispatcherId);
        }
        catch (ConfigurationException e)
        {
            throw new ConfigurationException($"{path} cannot be made: {e.Message}", e);
        }

        MailboxType mailbox = system.Mailboxes.GetMailboxType(props, dispatcher.Configurator.Config);
        return new LocalActorRef(system, props, dispatcher, mailbox, supervisor, path);
    }

    public IActorRef ResolveActorRef(string path) =>
        ActorPath.TryParse(path, out ActorPath? parsed) ? ResolveActorRef(parsed) : DeadLettersFor(path);

    public IActorRef ResolveActorRef(ActorPath path) =>
        path.Root.Address == RootPath.Address ? ResolveBelow(_rootGuardian, path) : DeadLettersFor(path.ToString());

    /// <summary>Other addresses than that of <see cref="RootPath"/> that mean this system.</summary>
    internal Func<Address, bool> IsOwnAddress { get; set; } = static _ => false;

    /// <summary>The actor at the path below the root, whatever address the path has: for callers that know it means this system.</summary>
    internal IInternalActorRef ResolveLocal(ActorPath path) => ResolveBelow(_rootGuardian, path);

    /// <summary>An actor that was meant for another system, or for several, must not quietly run here alone.</summary>
    private void RefuseWhatIsAbsent(Deploy deploy, ActorPath path)
    {
        if (deploy.Scope is RemoteScope { Address: { } there } && there != RootPath.Address && !IsOwnAddress(there))
        {
            throw new ConfigurationException(
                $"{path} is to be deployed on {there}, but this engine has no remote deployment. Start the actor in that system, and reach it from here by an ActorSelection of its path or as a sharded entity");
        }

        if (deploy.Config.GetString("router", string.Empty) is { Length: > 0 } router and not "from-code")
        {
            throw new ConfigurationException(
                $"{path} is to be a '{router}' router, but this engine has no routers. Make an actor of its own that has the routees as children and forwards to them");
        }
    }

    private IInternalActorRef ResolveBelow(IInternalActorRef root, ActorPath path)
    {
        if (path.Depth == 0)
            return root;
        string[] names = (string[])path.Elements;
        if (path.Uid != ActorCell.UndefinedUid)
            names[^1] = $"{names[^1]}#{path.Uid}";
        IActorRef found = root.GetChild(names);
        return found.IsNobody() ? new EmptyLocalActorRef(this, (root.Path / path.Elements).WithUid(path.Uid), EventStream) : (IInternalActorRef)found;
    }

    private IInternalActorRef DeadLettersFor(string path)
    {
        Log.Debug("The path [{0}] is not one of this system", path);
        return (IInternalActorRef)DeadLetters;
    }

    private Props GuardianProps(ActorSystemImpl system)
    {
        SupervisorStrategy strategy = SupervisorStrategyConfigurator.CreateConfigurator(Settings.SupervisorStrategyClass).Create();
        Props props = system.GuardianProps.HasValue ? system.GuardianProps.Value : Props.Create<GuardianActor>();
        return props.SupervisorStrategy is null ? props.WithSupervisorStrategy(strategy) : props;
    }

    private LocalActorRef MakeGuardian(string name, Props props)
    {
        ActorCell cell = _rootGuardian.Cell;
        cell.ReserveChild(name);
        var guardian = new LocalActorRef(_system, props, _internalDispatcher, _defaultMailbox, _rootGuardian, RootPath / name);
        cell.InitChild(guardian);
        return guardian;
    }

    /// <summary>/temp: the references of asks whose path somebody looked at.</summary>
    private sealed class TempActors(LocalActorRefProvider provider, ActorPath path, IInternalActorRef parent) : MinimalActorRef
    {
        private readonly System.Collections.Concurrent.ConcurrentDictionary<string, IInternalActorRef> _actors = new(StringComparer.Ordinal);

        public override ActorPath Path => path;

        public override IActorRefProvider Provider => provider;

        public override IInternalActorRef Parent => parent;

        public void Add(string name, IInternalActorRef actor) => _actors[name] = actor;

        public void Remove(string name) => _actors.TryRemove(name, out _);

        public override IActorRef GetChild(IReadOnlyList<string> name)
        {
            if (name.Count == 0)
                return this;
            string first = name[0];
            int hash = first.IndexOf('#');
            return _actors.TryGetValue(hash < 0 ? first : first[..hash], out IInternalActorRef? actor) ? actor.GetChild(name.Skip(1).ToArray()) : ActorRefs.Nobody;
        }
    }
}
