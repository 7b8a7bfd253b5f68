using Akka.Actor;
using Akka.Configuration;
using Akka.Pattern;
using Akka.Persistence.Journal;
using Akka.Util.Internal;

namespace Akka.Persistence;

/// <summary>One configured journal or snapshot store and its actor.</summary>
internal sealed class PersistencePlugin(string path, Config config, ExtendedActorSystem system)
{
    private readonly Lazy<EventAdapters> _adapters = new(() => EventAdapters.Create(system, config));
    private IActorRef? _actor;

    public IActorRef Actor => _actor ?? throw new InvalidOperationException($"the plug-in {path} has not started");

    public EventAdapters Adapters => _adapters.Value;

    public TimeSpan RecoveryTimeout { get; } = config.GetTimeSpan("recovery-event-timeout", TimeSpan.FromSeconds(30));

    public int MessageBatchMax { get; } = Math.Max(1, config.GetInt("max-message-batch-size", 200));

    public void Start()
    {
        Type type = ResolveType(config.GetString("class", string.Empty)!, path + ".class");
        Props props = type.GetConstructor([typeof(Config)]) is null ? Props.Create(type) : Props.Create(type, config);
        string dispatcher = config.GetString("plugin-dispatcher", string.Empty)!;
        _actor = system.SystemActorOf(dispatcher.Length == 0 ? props : props.WithDispatcher(dispatcher), path);
    }

    public CircuitBreaker CreateBreaker() => new(
        system.Scheduler,
        Math.Max(1, config.GetInt("circuit-breaker.max-failures", 10)),
        config.GetTimeSpan("circuit-breaker.call-timeout", TimeSpan.FromSeconds(20)),
        config.GetTimeSpan("circuit-breaker.reset-timeout", TimeSpan.FromSeconds(30)));

    /// <exception cref="ConfigurationException">There is no such class.</exception>
    public static Type ResolveType(string className, string setting) =>
        TypeResolver.Get(className, setting);
}
