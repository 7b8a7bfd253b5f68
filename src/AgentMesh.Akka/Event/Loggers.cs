using Akka.Actor;
using Akka.Dispatch;

namespace Akka.Event;

/// <summary>The queue of a logger.</summary>
public interface ILoggerMessageQueueSemantics : ISemantics
{
}

/// <summary>A logger that is no actor and so can write before there are actors.</summary>
public abstract class MinimalLogger : MinimalActorRef
{
    private readonly ActorPath _path = new RootActorPath(new Address("akka", "all-systems"), "/StandardOutLogger");

    public sealed override ActorPath Path => _path;

    public sealed override IActorRefProvider Provider => throw new NotSupportedException("This logger has no provider");

    protected abstract void Log(object message);

    protected sealed override void TellInternal(object message, IActorRef sender) => Log(message ?? throw new InvalidMessageException());
}

/// <summary>Writes to the standard error stream, so that results on standard output stay clean.</summary>
public class StandardOutLogger : MinimalLogger
{
    /// <summary>Off by default when the stream is not a terminal.</summary>
    public static bool UseColors { get; set; } = !Console.IsErrorRedirected;

    public static ConsoleColor DebugColor { get; set; } = ConsoleColor.Gray;

    public static ConsoleColor InfoColor { get; set; } = ConsoleColor.White;

    public static ConsoleColor WarningColor { get; set; } = ConsoleColor.Yellow;

    public static ConsoleColor ErrorColor { get; set; } = ConsoleColor.Red;

    internal static void Print(LogEvent @event)
    {
        ConsoleColor color = @event.LogLevel() switch
        {
            LogLevel.DebugLevel => DebugColor,
            LogLevel.InfoLevel => InfoColor,
            LogLevel.WarningLevel => WarningColor,
            _ => ErrorColor,
        };
        StandardErrorWriter.WriteLine(@event.ToString(), UseColors ? color : null);
    }

    protected override void Log(object message)
    {
        if (message is LogEvent @event)
            Print(@event);
        else
            StandardErrorWriter.WriteLine(message.ToString() ?? string.Empty, null);
    }
}

/// <summary>The logger of the default configuration: an actor that writes to the standard error stream.</summary>
public class DefaultLogger : ActorBase, IRequiresMessageQueue<ILoggerMessageQueueSemantics>
{
    protected override bool Receive(object message)
    {
        switch (message)
        {
            case InitializeLogger:
                Sender.Tell(new LoggerInitialized());
                return true;
            case LogEvent @event:
                Print(@event);
                return true;
            default:
                return false;
        }
    }

    protected virtual void Print(LogEvent logEvent) => StandardOutLogger.Print(logEvent);
}

/// <summary>Lines of several threads do not mix, and their colours do not leak.</summary>
internal static class StandardErrorWriter
{
    private static readonly object Gate = new();

    public static void WriteLine(string text, ConsoleColor? color)
    {
        lock (Gate)
        {
            try
            {
                Write(text, color);
            }
            catch (IOException)
            {
                // A full disk or a closed pipe behind the stream must not end what was going to be told.
            }
        }
    }

    private static void Write(string text, ConsoleColor? color)
    {
        if (color is not { } wanted)
        {
            Console.Error.WriteLine(text);
            return;
        }

        ConsoleColor before = Console.ForegroundColor;
        Console.ForegroundColor = wanted;
        Console.Error.WriteLine(text);
        Console.ForegroundColor = before;
    }
}
