using Akka.Actor;

namespace Akka.Event;

/// <summary>What a line of the log is about.</summary>
public readonly struct LogSource
{
    private LogSource(string source, Type type)
    {
        Source = source;
        Type = type;
    }

    public string Source { get; }

    public Type Type { get; }

    public static LogSource Create(string source, Type t) => new(source, t);

    public static LogSource Create(object o) => new(Name(o, null), SourceType(o));

    public static LogSource Create(object o, ActorSystem system) => new(Name(o, system), SourceType(o));

    public static string FromActor(IActorContext actor, ActorSystem system) => FromActorRef(actor.Self, system);

    public static string FromActorRef(IActorRef a, ActorSystem system) =>
        system is ExtendedActorSystem { Provider.DefaultAddress: { } address } ? a.Path.ToStringWithAddress(address) : a.Path.ToString();

    public static string FromString(string source, ActorSystem system) => $"{source}({system})";

    public static string FromType(Type t, ActorSystem system) => $"{Logging.SimpleName(t)}({system})";

    public static Type SourceType(object o) => o switch
    {
        Type type => type,
        IActorContext context => context.Props.Type,
        string => typeof(DummyClassForStringSources),
        _ => o.GetType(),
    };

    private static string Name(object o, ActorSystem? system) => o switch
    {
        IActorContext context => system is null ? context.Self.Path.ToString() : FromActor(context, system),
        IActorRef actor => system is null ? actor.Path.ToString() : FromActorRef(actor, system),
        string text => system is null ? text : FromString(text, system),
        Type type => system is null ? Logging.SimpleName(type) : FromType(type, system),
        _ => system is null ? Logging.SimpleName(o) : FromType(o.GetType(), system),
    };
}

/// <summary>The class of a line whose source is only a text.</summary>
public class DummyClassForStringSources
{
}

public static class Logging
{
    public static string SimpleName(object o) => SimpleName(o.GetType());

    public static string SimpleName(Type t)
    {
        int tick = t.Name.IndexOf('`');
        return tick < 0 ? t.Name : t.Name[..tick];
    }

    public static Type ClassFor(LogLevel logLevel) => logLevel switch
    {
        LogLevel.DebugLevel => typeof(Debug),
        LogLevel.InfoLevel => typeof(Info),
        LogLevel.WarningLevel => typeof(Warning),
        LogLevel.ErrorLevel => typeof(Error),
        _ => throw new ArgumentException($"Unknown log level {logLevel}", nameof(logLevel)),
    };

    public static string StringFor(LogLevel logLevel) => logLevel switch
    {
        LogLevel.DebugLevel => "Debug",
        LogLevel.InfoLevel => "Info",
        LogLevel.WarningLevel => "Warning",
        LogLevel.ErrorLevel => "Error",
        _ => throw new ArgumentException($"Unknown log level {logLevel}", nameof(logLevel)),
    };

    /// <summary>DEBUG, INFO, WARNING, ERROR or OFF, in any case.</summary>
    /// <exception cref="ArgumentException">Something else.</exception>
    public static LogLevel LogLevelFor(string logLevel) => logLevel?.ToUpperInvariant() switch
    {
        "DEBUG" => LogLevel.DebugLevel,
        "INFO" => LogLevel.InfoLevel,
        "WARNING" => LogLevel.WarningLevel,
        "ERROR" => LogLevel.ErrorLevel,
        "OFF" => OffLogLevel,
        _ => throw new ArgumentException($"Unknown log level '{logLevel}'; known: DEBUG, INFO, WARNING, ERROR, OFF", nameof(logLevel)),
    };

    public static LogLevel LogLevelFor<T>()
        where T : LogEvent
    {
        if (typeof(T) == typeof(Debug))
            return LogLevel.DebugLevel;
        if (typeof(T) == typeof(Info))
            return LogLevel.InfoLevel;
        return typeof(T) == typeof(Warning) ? LogLevel.WarningLevel : LogLevel.ErrorLevel;
    }

    public static ILoggingAdapter GetLogger(this IActorContext context, ILogMessageFormatter logMessageFormatter = null!)
    {
        LogSource source = LogSource.Create(context, context.System);
        return new BusLogging(context.System.EventStream, source.Source, source.Type, logMessageFormatter ?? context.System.Settings.LogFormatter);
    }

    public static ILoggingAdapter GetLogger(ActorSystem system, object logSourceObj, ILogMessageFormatter logMessageFormatter = null!)
    {
        LogSource source = LogSource.Create(logSourceObj, system);
        return new BusLogging(system.EventStream, source.Source, source.Type, logMessageFormatter ?? system.Settings.LogFormatter);
    }

    public static ILoggingAdapter GetLogger(LoggingBus loggingBus, object logSourceObj, ILogMessageFormatter logMessageFormatter = null!)
    {
        LogSource source = LogSource.Create(logSourceObj);
        return new BusLogging(loggingBus, source.Source, source.Type, logMessageFormatter ?? DefaultLogMessageFormatter.Instance);
    }

    /// <summary>Above every level.</summary>
    internal const LogLevel OffLogLevel = (LogLevel)int.MaxValue;
}
