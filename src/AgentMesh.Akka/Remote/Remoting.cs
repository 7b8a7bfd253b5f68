using System.Collections.Concurrent;
using System.Collections.Immutable;
using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Configuration;
using Akka.Dispatch.SysMsg;
using Akka.Event;
using Akka.Remote.Associations;
using Akka.Remote.Transport;
using Akka.Util.Internal;

namespace Akka.Remote;

/// <summary>Messages between actor systems: the transports, and one <see cref="Association"/> for each other system.</summary>
internal sealed class Remoting : IAssociationEventListener
{
    /// <summary>From so many on, associations that never came to be are forgotten when another one is made.</summary>
    private const int AssociationsUntidied = 1024;

    private readonly SchemeAugmenter _scheme = new("akka");
    private readonly ConcurrentDictionary<Address, Association> _associations = new();
    private readonly ConcurrentDictionary<InboundConnection, long> _inbound = new();
    private readonly ILoggingAdapter _log;
    private ImmutableDictionary<Address, Transport.Transport> _transports = ImmutableDictionary<Address, Transport.Transport>.Empty;
    private volatile bool _stopping;
    private long _connections;

    public Remoting(RemoteActorRefProvider provider, ActorSystemImpl system, RemotingSettings settings)
    {
        Provider = provider;
        System = system;
        Settings = settings;
        _log = Logging.GetLogger(system, nameof(Remoting));
        Inbox = new Inbox(provider, system, settings);
    }

    public RemoteActorRefProvider Provider { get; }

    public ActorSystemImpl System { get; }

    public RemotingSettings Settings { get; }

    public Inbox Inbox { get; }

    public Address DefaultAddress { get; private set; } = null!;

    public IReadOnlySet<Address> Addresses { get; private set; } = ImmutableHashSet<Address>.Empty;

    public long Incarnation => AddressUidExtension.Of(System).Incarnation;

    public bool IsStopping => _stopping;

    /// <exception cref="ConfigurationException">There is no transport, or one cannot be made or does not listen.</exception>
    public void Start()
    {
        if (Settings.TransportNames.Count == 0)
            throw new ConfigurationException("akka.remote.enabled-transports names no transport; one is needed with this akka.actor.provider");
        foreach (string name in Settings.TransportNames)
        {
            Config config = System.Settings.Config.GetConfig(name) ?? throw new ConfigurationException($"akka.remote.enabled-transports names '{name}', which is no section");
            Transport.Transport transport = TypeResolver.Create<Transport.Transport>(config.GetString("transport-class", string.Empty), name + ".transport-class", System, config);
            (Address own, TaskCompletionSource<IAssociationEventListener> listener) = Listen(name, transport);
            Address address = _scheme.AugmentScheme(own);
            _transports = _transports.Add(address, transport);
            DefaultAddress ??= address;
            Addresses = _transports.Keys.ToImmutableHashSet();
            listener.SetResult(this);
        }

        Publish(new RemotingListenEvent([.. Addresses]));
    }

    public void Send(object message, IActorRef sender, RemoteActorRef recipient)
    {
        var outgoing = new Outgoing(message, sender, recipient);
        while (!To(recipient.Path.Address).Send(outgoing))
        {
            // It was retired at this very moment; there is a new one now.
        }
    }

    public void SendSystem(SystemMessage message, RemoteActorRef recipient)
    {
        var outgoing = new Outgoing(message, ActorRefs.NoSender, recipient);
        while (!To(recipient.Path.Address).SendSystem(outgoing))
        {
            // As above.
        }
    }

    public void Quarantine(Address address, int? uid)
    {
        if (!Provider.HasAddress(address))
            To(address).Quarantine(uid, "asked for");
    }

    /// <summary>The transport that can reach the address.</summary>
    /// <exception cref="InvalidAssociationException">None can.</exception>
    public async Task<AssociationHandle> AssociateAsync(Address remote)
    {
        foreach ((Address own, Transport.Transport transport) in _transports)
        {
            Address plain = _scheme.RemoveScheme(remote);
            if (own.Protocol == remote.Protocol && transport.IsResponsibleFor(plain))
                return await transport.Associate(plain).ConfigureAwait(false);
        }

        throw new InvalidAssociationException($"No transport of this system reaches {remote}; it has {string.Join(", ", Addresses)}");
    }

    public long MaximumPayloadBytes(Address remote) =>
        _transports.FirstOrDefault(each => each.Key.Protocol == remote.Protocol).Value?.MaximumPayloadBytes ?? 32 * 1024;

    /// <summary>The association with a system; made when there is none. A retired one is never returned twice.</summary>
    public Association To(Address remote)
    {
        if (_associations.TryGetValue(remote, out Association? known))
            return known;
        if (_associations.Count >= AssociationsUntidied)
            Tidy();
        return _associations.GetOrAdd(remote, static (address, remoting) => new Association(remoting, address), this);
    }

    /// <summary>True when the transport has found exactly this system at the other end: nobody speaks for another.</summary>
    public bool IsAtOtherEnd(Address origin, AssociationHandle handle) => origin.Equals(_scheme.AugmentScheme(handle.RemoteAddress));

    public void Notify(IAssociationEvent ev)
    {
        if (ev is not InboundAssociation inbound)
            return;
        if (_stopping)
            inbound.Association.Disassociate();
        else
        {
            var connection = new InboundConnection(this, inbound.Association);
            _inbound.TryAdd(connection, Interlocked.Increment(ref _connections));
            inbound.Association.ReadHandlerSource.TrySetResult(connection);
            if (_stopping)
                connection.Close();
        }
    }

    public void Ended(InboundConnection connection) => _inbound.TryRemove(connection, out _);

    public void Publish(RemotingLifecycleEvent happened)
    {
        System.EventStream.Publish(happened);
        if (happened.LogLevel() >= LogLevel.WarningLevel)
            _log.Warning("{0}", happened);
        else
            _log.Debug("{0}", happened);
    }

    /// <summary>Sends what waits, says goodbye and ends the transports.</summary>
    public async Task Shutdown()
    {
        await Task.WhenAll(_associations.Values.Select(association => association.FlushAsync(Settings.FlushWait))).ConfigureAwait(false);
        _stopping = true;
        foreach (Association association in _associations.Values)
            association.Close();
        foreach ((InboundConnection connection, _) in _inbound.OrderBy(each => each.Value))
            connection.Close();
        await Task.WhenAll(_transports.Values.Select(transport => transport.Shutdown())).WaitAsync(Settings.ShutdownTimeout, System.Settings.Clock).ConfigureAwait(false);
        System.EventStream.Publish(new RemotingShutdownEvent());
    }

    private (Address Own, TaskCompletionSource<IAssociationEventListener> Listener) Listen(string name, Transport.Transport transport)
    {
        Task<(Address, TaskCompletionSource<IAssociationEventListener>)> listening = transport.Listen();
        try
        {
            if (listening.Wait(Settings.StartupTimeout))
                return listening.Result;
        }
        catch (AggregateException error)
        {
            throw new ConfigurationException($"The transport '{name}' cannot listen: {error.InnerException!.Message}", error.InnerException);
        }

        throw new ConfigurationException($"The transport '{name}' does not listen after {Settings.StartupTimeout}");
    }

    private void Tidy()
    {
        foreach ((Address address, Association association) in _associations)
        {
            if (association.TryRetire())
                _associations.TryRemove(KeyValuePair.Create(address, association));
        }
    }
}
