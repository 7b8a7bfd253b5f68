using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Util.Internal;

namespace Akka.Event;

/// <summary>An event bus by type that also carries the log.</summary>
public class LoggingBus : ActorEventBus<object, Type>
{
    private static readonly LogLevel[] AllLevels = [LogLevel.DebugLevel, LogLevel.InfoLevel, LogLevel.WarningLevel, LogLevel.ErrorLevel];

    private readonly object _gate = new();
    private readonly List<IActorRef> _loggers = [];
    private volatile int _logLevel;
    private MinimalLogger? _stdout;

    public LogLevel LogLevel => (LogLevel)_logLevel;

    /// <summary>Loggers get this level and those above from now on.</summary>
    public void SetLogLevel(LogLevel logLevel)
    {
        _logLevel = (int)logLevel;
        lock (_gate)
        {
            foreach (IActorRef logger in _loggers)
                SubscribeTo(logger, logLevel);
        }
    }

    /// <summary>Writes to the standard error stream until the loggers of the configuration have started.</summary>
    public void StartStdoutLogger(Settings config)
    {
        LogLevel level = Logging.LogLevelFor(config.StdoutLogLevel);
        _logLevel = (int)level;
        _stdout = config.StdoutLogger;
        SubscribeTo(_stdout, level);
    }

    internal void StartLoggers(ActorSystemImpl system)
    {
        LogLevel level = Logging.LogLevelFor(system.Settings.LogLevel);
        foreach (string typeName in system.Settings.Loggers)
            AddLogger(system, TypeResolver.Get(typeName, "akka.loggers"), level);
        _logLevel = (int)level;
        if (_stdout is not null && system.Settings.Loggers.Count > 0)
            Unsubscribe(_stdout);
    }

    /// <summary>Back to the standard error stream: the loggers are about to end.</summary>
    internal void StopLoggers(ActorSystem system)
    {
        lock (_gate)
            _loggers.Clear();
        if (_stdout is not null)
            SubscribeTo(_stdout, Logging.LogLevelFor(system.Settings.StdoutLogLevel));
    }

    protected override bool IsSubClassification(Type parent, Type child) => parent.IsAssignableFrom(child);

    protected override void Publish(object @event, IActorRef subscriber) => subscriber.Tell(@event, ActorRefs.NoSender);

    protected override bool Classify(object @event, Type classifier) => classifier.IsInstanceOfType(@event);

    protected override Type GetClassifier(object @event) => @event.GetType();

    private void AddLogger(ActorSystemImpl system, Type type, LogLevel level)
    {
        string name = $"log{_loggers.Count + 1}-{Logging.SimpleName(type)}";
        IActorRef logger = system.SystemActorOf(Props.Create(type).WithDispatcher(system.Settings.LoggersDispatcher), name);
        lock (_gate)
            _loggers.Add(logger);
        SubscribeTo(logger, level);
        Task<object> started = logger.Ask(new InitializeLogger(this), system.Settings.LoggerStartTimeout);
        if (system.Settings.LoggerAsyncStart)
            return;
        try
        {
            if (started.GetAwaiter().GetResult() is not LoggerInitialized)
                throw new LoggerInitializationException($"Logger {name} did not answer with LoggerInitialized");
        }
        catch (AskTimeoutException)
        {
            Publish(new Warning(GetType().Name, GetType(), $"Logger {name} did not answer within {system.Settings.LoggerStartTimeout}"));
        }
    }

    private void SubscribeTo(IActorRef logger, LogLevel level)
    {
        foreach (LogLevel one in AllLevels)
        {
            if (one >= level)
                Subscribe(logger, Logging.ClassFor(one));
            else
                Unsubscribe(logger, Logging.ClassFor(one));
        }
    }
}
