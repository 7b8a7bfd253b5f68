using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Configuration;
using Akka.Event;
using Akka.Util.Internal;

namespace Akka.Dispatch;

/// <summary>The dispatchers of a system by id; an id is the path of a section of the configuration, or leads to one as a text value.</summary>
public sealed class Dispatchers
{
    public const string DefaultDispatcherId = "akka.actor.default-dispatcher";

    public const string DefaultBlockingDispatcherId = "akka.actor.default-blocking-io-dispatcher";

    internal const string InternalDispatcherId = "akka.actor.internal-dispatcher";

    // An alias may lead to an alias, but not for ever.
    private const int MaxAliases = 20;

    private readonly ActorSystem _system;
    private readonly ConcurrentDictionary<string, MessageDispatcherConfigurator> _configurators = new(StringComparer.Ordinal);
    private readonly ConcurrentBag<WeakReference<MessageDispatcher>> _pinned = [];

    public Dispatchers(ActorSystem system, IDispatcherPrerequisites prerequisites, ILoggingAdapter logger)
    {
        _system = system;
        Prerequisites = prerequisites;
    }

    public IDispatcherPrerequisites Prerequisites { get; }

    public Config DefaultDispatcherConfig => GetConfig(_system.Settings.Config, DefaultDispatcherId);

    public MessageDispatcher DefaultGlobalDispatcher => Lookup(DefaultDispatcherId);

    /// <summary>The section of a dispatcher, with its id and the defaults of the default dispatcher.</summary>
    /// <exception cref="ConfigurationException">No such section, or the aliases go in a circle.</exception>
    public static Config GetConfig(Config config, string id, int depth = 0)
    {
        if (depth > MaxAliases)
            throw new ConfigurationException($"Dispatcher [{id}]: more than {MaxAliases} aliases, or they go in a circle");
        if (!config.HasPath(id))
            throw new ConfigurationException($"Dispatcher [{id}] not configured");
        Configuration.Hocon.HoconValue value = config.GetValue(id);
        if (value.IsString())
            return GetConfig(config, value.GetString()!, depth + 1);
        Config own = ConfigurationFactory.ParseString($"id = \"{id}\"").WithFallback(config.GetConfig(id));
        return id == DefaultDispatcherId ? own : own.WithFallback(config.GetConfig(DefaultDispatcherId));
    }

    public bool HasDispatcher(string id) => _configurators.ContainsKey(id) || _system.Settings.Config.HasPath(id);

    public MessageDispatcher Lookup(string dispatcherName)
    {
        string id = string.IsNullOrEmpty(dispatcherName) ? DefaultDispatcherId : dispatcherName;
        MessageDispatcherConfigurator configurator = _configurators.TryGetValue(id, out MessageDispatcherConfigurator? known) ? known : _configurators.GetOrAdd(id, Create(id));
        MessageDispatcher dispatcher = configurator.Dispatcher();
        if (dispatcher is PinnedDispatcher)
            _pinned.Add(new WeakReference<MessageDispatcher>(dispatcher));
        return dispatcher;
    }

    /// <returns>False when the id is taken.</returns>
    public bool RegisterConfigurator(string id, MessageDispatcherConfigurator configurator) => _configurators.TryAdd(id, configurator);

    /// <summary>Ends the threads that dispatchers own; called when the last actor has ended.</summary>
    internal void Shutdown()
    {
        foreach (MessageDispatcherConfigurator configurator in _configurators.Values)
        {
            if (configurator is DispatcherConfigurator)
                configurator.Dispatcher().ShutdownNow();
        }

        foreach (WeakReference<MessageDispatcher> pinned in _pinned)
        {
            if (pinned.TryGetTarget(out MessageDispatcher? dispatcher))
                dispatcher.ShutdownNow();
        }
    }

    private MessageDispatcherConfigurator Create(string id)
    {
        Config config = GetConfig(_system.Settings.Config, id);
        string type = config.GetString("type", "Dispatcher");
        string resolved = config.GetString("id", id);
        if (resolved != id)
            return _configurators.GetOrAdd(resolved, Create);
        return type switch
        {
            "Dispatcher" => new DispatcherConfigurator(config, Prerequisites),
            "PinnedDispatcher" => new PinnedDispatcherConfigurator(config, Prerequisites),
            _ => TypeResolver.Create<MessageDispatcherConfigurator>(type, id + ".type", config, Prerequisites),
        };
    }
}
