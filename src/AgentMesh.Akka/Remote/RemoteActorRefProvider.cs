using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Event;
using Akka.Serialization;

namespace Akka.Remote;

/// <summary>Actors of this process and references to those of others. Actors are made in this process only; remote deployment is not supported.</summary>
public class RemoteActorRefProvider : IActorRefProvider
{
    private readonly LocalActorRefProvider _local;
    private readonly EventStream _eventStream;
    private readonly TaskCompletionSource _terminated = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ActorSystemImpl _system = null!;
    private Information? _information;

    public RemoteActorRefProvider(string systemName, Settings settings, EventStream eventStream)
    {
        Settings = settings;
        _eventStream = eventStream;
        Deployer = new Deployer(settings);
        _local = new LocalActorRefProvider(systemName, settings, eventStream, Deployer, null!) { IsOwnAddress = address => Remoting.Addresses.Contains(address) };
    }

    public ActorPath RootPath => _local.RootPath;

    public Settings Settings { get; }

    public Deployer Deployer { get; protected set; }

    public IActorRef DeadLetters => _local.DeadLetters;

    public IActorRef IgnoreRef => _local.IgnoreRef;

    public IInternalActorRef RootGuardian => _local.RootGuardian;

    public LocalActorRef Guardian => _local.Guardian;

    public LocalActorRef SystemGuardian => _local.SystemGuardian;

    public IInternalActorRef TempContainer => _local.TempContainer;

    /// <summary>Ends when every actor has ended and the connections are closed.</summary>
    public Task TerminationTask => _terminated.Task;

    /// <summary>The address under which other systems reach this one.</summary>
    public Address DefaultAddress => Remoting?.DefaultAddress ?? _local.DefaultAddress;

    public Information SerializationInformation => _information ??= new Information(DefaultAddress, _system);

    public IActorRef RemoteWatcher { get; private set; } = null!;

    internal Remoting Remoting { get; private set; } = null!;

    internal LocalActorRefProvider Local => _local;

    internal ActorSystemImpl System => _system;

    public virtual void Init(ActorSystemImpl system)
    {
        _system = system;
        var settings = new RemotingSettings(Settings.Config);
        Remoting = new Remoting(this, system, settings);
        _local.Init(system);
        Remoting.Start();
        RemoteWatcher = CreateRemoteWatcher(system);
        _ = _local.TerminationTask.ContinueWith(_ => EndAsync(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    public bool HasAddress(Address address) => address == _local.DefaultAddress || Remoting.Addresses.Contains(address);

    public IActorRef RootGuardianAt(Address address) => HasAddress(address) ? RootGuardian : new RemoteActorRef(this, new RootActorPath(address));

    public Address GetExternalAddressFor(Address address)
    {
        if (HasAddress(address))
            return _local.DefaultAddress;
        return string.IsNullOrEmpty(address.Host) || address.Port is null ? null! : Remoting.DefaultAddress;
    }

    public ActorPath TempPath() => _local.TempPath();

    public void RegisterTempActor(IInternalActorRef actorRef, ActorPath path) => _local.RegisterTempActor(actorRef, path);

    public void UnregisterTempActor(ActorPath path) => _local.UnregisterTempActor(path);

    public FutureActorRef<T> CreateFutureRef<T>(TaskCompletionSource<T> tcs) => new(tcs, this);

    /// <exception cref="ConfigurationException">The deployment asks for another system.</exception>
    public IInternalActorRef ActorOf(ActorSystemImpl system, Props props, IInternalActorRef supervisor, ActorPath path, bool systemService, Deploy deploy, bool lookupDeploy, bool async) =>
        _local.ActorOf(system, props, supervisor, path, systemService, deploy, lookupDeploy, async);

    public IActorRef ResolveActorRef(string path) =>
        ActorPath.TryParse(path, out ActorPath? parsed) ? ResolveActorRef(parsed) : _local.ResolveActorRef(path);

    public IActorRef ResolveActorRef(ActorPath actorPath)
    {
        if (HasAddress(actorPath.Address))
            return _local.ResolveLocal(actorPath);
        return actorPath.Address.HasGlobalScope ? new RemoteActorRef(this, actorPath) : _local.ResolveActorRef(actorPath);
    }

    /// <summary>From now on nothing goes to that incarnation of the system at the address, and nothing comes from it.</summary>
    /// <param name="uid">Null: whichever incarnation is known.</param>
    public void Quarantine(Address address, int? uid) => Remoting.Quarantine(address, uid);

    protected virtual IActorRef CreateRemoteWatcher(ActorSystemImpl system) =>
        system.SystemActorOf(Props.Create(() => new RemoteWatcher(CreateRemoteWatcherFailureDetector(system), Remoting.Settings)).WithDispatcher(Dispatchers.InternalDispatcherId), Akka.Remote.RemoteWatcher.ActorName);

    protected DefaultFailureDetectorRegistry<Address> CreateRemoteWatcherFailureDetector(ActorSystem system)
    {
        Config config = Remoting.Settings.Watch;
        string type = config.GetString("implementation-class");
        return new DefaultFailureDetectorRegistry<Address>(() => FailureDetectorLoader.Load(type, config, system));
    }

    private async Task EndAsync()
    {
        try
        {
            await Remoting.Shutdown().ConfigureAwait(false);
        }
        catch (Exception error)
        {
            _eventStream.Publish(new Warning(error, nameof(RemoteActorRefProvider), GetType(), "Remoting did not end in good order"));
        }

        _terminated.TrySetResult();
    }
}
