using System.Globalization;
using Akka.Actor;

namespace Akka.Event;

public enum LogLevel
{
    DebugLevel = 0,
    InfoLevel = 1,
    WarningLevel = 2,
    ErrorLevel = 3,
}

/// <summary>A line of the log on its way to the loggers.</summary>
public abstract class LogEvent : INoSerializationVerificationNeeded
{
    protected LogEvent()
    {
        Timestamp = TimeProvider.System.GetUtcNow().UtcDateTime;
        Thread = Thread.CurrentThread;
    }

    /// <summary>Null when there was none.</summary>
    public Exception Cause { get; protected set; } = null!;

    /// <summary>UTC.</summary>
    public DateTime Timestamp { get; }

    public Thread Thread { get; }

    public string LogSource { get; protected set; } = string.Empty;

    public Type LogClass { get; protected set; } = null!;

    /// <summary>A text or a <see cref="LogMessage"/>.</summary>
    public object Message { get; protected set; } = string.Empty;

    public abstract LogLevel LogLevel();

    public override string ToString()
    {
        string level = Logging.StringFor(LogLevel()).ToUpperInvariant();
        string cause = Cause is null ? string.Empty : $"{Environment.NewLine}Cause: {Cause}";
        return string.Create(CultureInfo.InvariantCulture, $"[{level}][{Timestamp:yyyy-MM-ddTHH:mm:ss.fff}Z][Thread {Thread.ManagedThreadId:0000}][{LogSource}] {Message}{cause}");
    }
}

public class Debug : LogEvent
{
    public Debug(string logSource, Type logClass, object message)
        : this(null!, logSource, logClass, message)
    {
    }

    public Debug(Exception cause, string logSource, Type logClass, object message)
    {
        Cause = cause;
        LogSource = logSource;
        LogClass = logClass;
        Message = message;
    }

    public override LogLevel LogLevel() => Event.LogLevel.DebugLevel;
}

public class Info : LogEvent
{
    public Info(string logSource, Type logClass, object message)
        : this(null!, logSource, logClass, message)
    {
    }

    public Info(Exception cause, string logSource, Type logClass, object message)
    {
        Cause = cause;
        LogSource = logSource;
        LogClass = logClass;
        Message = message;
    }

    public override LogLevel LogLevel() => Event.LogLevel.InfoLevel;
}

public class Warning : LogEvent
{
    public Warning(string logSource, Type logClass, object message)
        : this(null!, logSource, logClass, message)
    {
    }

    public Warning(Exception cause, string logSource, Type logClass, object message)
    {
        Cause = cause;
        LogSource = logSource;
        LogClass = logClass;
        Message = message;
    }

    public override LogLevel LogLevel() => Event.LogLevel.WarningLevel;
}

public class Error : LogEvent
{
    public Error(Exception cause, string logSource, Type logClass, object message)
    {
        Cause = cause;
        LogSource = logSource;
        LogClass = logClass;
        Message = message;
    }

    public override LogLevel LogLevel() => Event.LogLevel.ErrorLevel;
}

/// <summary>Asks a logger to start; answered with <see cref="LoggerInitialized"/>.</summary>
public class InitializeLogger : INoSerializationVerificationNeeded
{
    public InitializeLogger(LoggingBus loggingBus) => LoggingBus = loggingBus;

    public LoggingBus LoggingBus { get; }
}

public class LoggerInitialized : INoSerializationVerificationNeeded, IDeadLetterSuppression
{
}
