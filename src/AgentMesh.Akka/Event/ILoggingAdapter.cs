namespace Akka.Event;

/// <summary>Writes to the log of a system. Safe from any thread; costs nothing to speak of when the level is off.</summary>
public interface ILoggingAdapter
{
    ILogMessageFormatter Formatter { get; }

    bool IsDebugEnabled { get; }

    bool IsInfoEnabled { get; }

    bool IsWarningEnabled { get; }

    bool IsErrorEnabled { get; }

    bool IsEnabled(LogLevel logLevel);

    void Log(LogLevel logLevel, Exception cause, LogMessage message);

    void Log(LogLevel logLevel, Exception cause, string format);
}

public abstract class LoggingAdapterBase : ILoggingAdapter
{
    protected LoggingAdapterBase(ILogMessageFormatter logMessageFormatter) => Formatter = logMessageFormatter;

    public ILogMessageFormatter Formatter { get; }

    public abstract bool IsDebugEnabled { get; }

    public abstract bool IsInfoEnabled { get; }

    public abstract bool IsWarningEnabled { get; }

    public abstract bool IsErrorEnabled { get; }

    public bool IsEnabled(LogLevel logLevel) => logLevel switch
    {
        LogLevel.DebugLevel => IsDebugEnabled,
        LogLevel.InfoLevel => IsInfoEnabled,
        LogLevel.WarningLevel => IsWarningEnabled,
        LogLevel.ErrorLevel => IsErrorEnabled,
        _ => throw new ArgumentOutOfRangeException(nameof(logLevel), logLevel, "Unknown log level"),
    };

    public void Log(LogLevel logLevel, Exception cause, LogMessage message)
    {
        if (IsEnabled(logLevel))
            NotifyLog(logLevel, message, cause);
    }

    public void Log(LogLevel logLevel, Exception cause, string format)
    {
        if (IsEnabled(logLevel))
            NotifyLog(logLevel, format, cause);
    }

    protected abstract void NotifyLog(LogLevel logLevel, object message, Exception cause = null!);
}

/// <summary>Publishes to a logging bus.</summary>
public sealed class BusLogging : LoggingAdapterBase
{
    public BusLogging(LoggingBus bus, string logSource, Type logClass, ILogMessageFormatter logMessageFormatter)
        : base(logMessageFormatter)
    {
        Bus = bus;
        LogSource = logSource;
        LogClass = logClass;
    }

    public LoggingBus Bus { get; }

    public string LogSource { get; }

    public Type LogClass { get; }

    public override bool IsDebugEnabled => Bus.LogLevel <= LogLevel.DebugLevel;

    public override bool IsInfoEnabled => Bus.LogLevel <= LogLevel.InfoLevel;

    public override bool IsWarningEnabled => Bus.LogLevel <= LogLevel.WarningLevel;

    public override bool IsErrorEnabled => Bus.LogLevel <= LogLevel.ErrorLevel;

    protected override void NotifyLog(LogLevel logLevel, object message, Exception cause = null!) => Bus.Publish(logLevel switch
    {
        LogLevel.DebugLevel => new Debug(cause, LogSource, LogClass, message),
        LogLevel.InfoLevel => new Info(cause, LogSource, LogClass, message),
        LogLevel.WarningLevel => new Warning(cause, LogSource, LogClass, message),
        _ => new Error(cause, LogSource, LogClass, message),
    });
}

/// <summary>A log that writes nothing.</summary>
public sealed class NoLogger : ILoggingAdapter
{
    public static readonly ILoggingAdapter Instance = new NoLogger();

    private NoLogger()
    {
    }

    public ILogMessageFormatter Formatter => DefaultLogMessageFormatter.Instance;

    public bool IsDebugEnabled => false;

    public bool IsInfoEnabled => false;

    public bool IsWarningEnabled => false;

    public bool IsErrorEnabled => false;

    public bool IsEnabled(LogLevel logLevel) => false;

    public void Log(LogLevel logLevel, Exception cause, LogMessage message)
    {
    }

    public void Log(LogLevel logLevel, Exception cause, string format)
    {
    }
}
