using AgentMesh.Engine;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Event;
using Akka.Util;
using Akka.Util.Internal;

namespace Akka.Actor;

/// <summary>The settings of a system, read from its configuration when it is made.</summary>
public class Settings
{
    private readonly Config _own;
    private Config _fallback;

    public Settings(ActorSystem system, Config config)
        : this(system, config, ActorSystemSetup.Empty)
    {
    }

    /// <exception cref="ConfigurationException">A setting has an impossible value.</exception>
    public Settings(ActorSystem system, Config config, ActorSystemSetup setup)
    {
        System = system;
        Setup = setup;
        _own = config;
        _fallback = ConfigurationFactory.Default();
        Config = _own.WithFallback(_fallback);
        Option<EngineSetup> engine = setup.Get<EngineSetup>();
        Clock = engine.HasValue ? engine.Value.Clock : TimeProvider.System;
        Random = engine.HasValue ? engine.Value.Random : ThreadLocalRandom.Current;
        Option<BootstrapSetup> bootstrap = setup.Get<BootstrapSetup>();
        ProviderSelectionType = bootstrap.HasValue && bootstrap.Value.ActorRefProvider.HasValue
            ? bootstrap.Value.ActorRefProvider.Value
            : ProviderSelection.Of(Config.GetString("akka.actor.provider", string.Empty)!);
        ConfigVersion = Config.GetString("akka.version", string.Empty)!;
        SupervisorStrategyClass = Config.GetString("akka.actor.guardian-supervisor-strategy", string.Empty)!;
        AskTimeout = Config.GetTimeSpan("akka.actor.ask-timeout", Timeout.InfiniteTimeSpan);
        CreationTimeout = Config.GetTimeSpan("akka.actor.creation-timeout", TimeSpan.FromSeconds(20));
        SerializeAllMessages = Config.GetBoolean("akka.actor.serialize-messages");
        ReadLogging();
        ReadDebug();
        SchedulerClass = Config.GetString("akka.scheduler.implementation", string.Empty)!;
        SchedulerShutdownTimeout = Config.GetTimeSpan("akka.scheduler.shutdown-timeout", TimeSpan.FromSeconds(5));
        CoordinatedShutdownTerminateActorSystem = Config.GetBoolean("akka.coordinated-shutdown.terminate-actor-system");
        CoordinatedShutdownRunByActorSystemTerminate = Config.GetBoolean("akka.coordinated-shutdown.run-by-actor-system-terminate");
        if (CoordinatedShutdownRunByActorSystemTerminate && !CoordinatedShutdownTerminateActorSystem)
            throw new ConfigurationException("akka.coordinated-shutdown.terminate-actor-system = off needs akka.coordinated-shutdown.run-by-actor-system-terminate = off as well");
    }

    public ActorSystem System { get; }

    /// <summary>What the user gave, with the defaults behind it.</summary>
    public Config Config { get; private set; }

    public ActorSystemSetup Setup { get; }

    public ProviderSelection ProviderSelectionType { get; }

    public string ProviderClass => ProviderSelectionType.Fqn;

    public bool HasCluster => ProviderSelectionType.HasCluster;

    public string ConfigVersion { get; }

    public string SupervisorStrategyClass { get; }

    /// <summary>Infinite unless configured.</summary>
    public TimeSpan AskTimeout { get; }

    public TimeSpan CreationTimeout { get; }

    public bool SerializeAllMessages { get; }

    public string LogLevel { get; private set; } = null!;

    public string StdoutLogLevel { get; private set; } = null!;

    public IList<string> Loggers { get; private set; } = null!;

    public string LoggersDispatcher { get; private set; } = null!;

    public TimeSpan LoggerStartTimeout { get; private set; }

    public bool LoggerAsyncStart { get; private set; }

    public MinimalLogger StdoutLogger { get; private set; } = null!;

    public ILogMessageFormatter LogFormatter { get; private set; } = null!;

    public bool LogConfigOnStart { get; private set; }

    /// <summary>How many dead letters are logged; 0 for none, <see cref="int.MaxValue"/> for all.</summary>
    public int LogDeadLetters { get; private set; }

    public bool LogDeadLettersDuringShutdown { get; private set; }

    public TimeSpan LogDeadLettersSuspendDuration { get; private set; }

    public bool DebugAutoReceive { get; private set; }

    public bool DebugLifecycle { get; private set; }

    public bool DebugEventStream { get; private set; }

    public bool DebugUnhandledMessage { get; private set; }

    public string SchedulerClass { get; }

    public TimeSpan SchedulerShutdownTimeout { get; }

    public bool CoordinatedShutdownTerminateActorSystem { get; }

    public bool CoordinatedShutdownRunByActorSystemTerminate { get; }

    internal TimeProvider Clock { get; }

    internal Random Random { get; }

    /// <summary>Adds defaults of an extension: they count when neither the user nor the engine says anything.</summary>
    public void InjectTopLevelFallback(Config config)
    {
        _fallback = _fallback.WithFallback(config);
        Config = _own.WithFallback(_fallback);
    }

    public override string ToString() => Config.ToString();

    private void ReadLogging()
    {
        LogLevel = Config.GetString("akka.loglevel", "INFO")!;
        StdoutLogLevel = Config.GetString("akka.stdout-loglevel", "WARNING")!;
        Loggers = Config.GetStringList("akka.loggers");
        LoggersDispatcher = Config.GetString("akka.loggers-dispatcher", string.Empty)!;
        LoggerStartTimeout = Config.GetTimeSpan("akka.logger-startup-timeout", TimeSpan.FromSeconds(5));
        LoggerAsyncStart = Config.GetBoolean("akka.logger-async-start");
        StdoutLogger = TypeResolver.Create<MinimalLogger>(Config.GetString("akka.stdout-logger-class", string.Empty)!, "akka.stdout-logger-class");
        LogFormatter = DefaultLogMessageFormatter.Instance;
        LogConfigOnStart = Config.GetBoolean("akka.log-config-on-start");
        LogDeadLetters = Config.GetString("akka.log-dead-letters", "off")!.ToUpperInvariant() switch
        {
            "ON" or "TRUE" or "YES" => int.MaxValue,
            "OFF" or "FALSE" or "NO" => 0,
            _ => Config.GetInt("akka.log-dead-letters"),
        };
        LogDeadLettersDuringShutdown = Config.GetBoolean("akka.log-dead-letters-during-shutdown");
        LogDeadLettersSuspendDuration = Config.GetTimeSpan("akka.log-dead-letters-suspend-duration", TimeSpan.FromMinutes(5));
    }

    private void ReadDebug()
    {
        DebugAutoReceive = Config.GetBoolean("akka.actor.debug.autoreceive");
        DebugLifecycle = Config.GetBoolean("akka.actor.debug.lifecycle");
        DebugEventStream = Config.GetBoolean("akka.actor.debug.event-stream");
        DebugUnhandledMessage = Config.GetBoolean("akka.actor.debug.unhandled");
    }
}
