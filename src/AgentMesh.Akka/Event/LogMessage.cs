using System.Globalization;

namespace Akka.Event;

/// <summary>Puts arguments into a format.</summary>
public interface ILogMessageFormatter
{
    string Format(string format, params object[] args);

    string Format(string format, IEnumerable<object> args);
}

/// <summary><see cref="string.Format(IFormatProvider, string, object[])"/> in the invariant culture.</summary>
public class DefaultLogMessageFormatter : ILogMessageFormatter
{
    public static readonly DefaultLogMessageFormatter Instance = new();

    private DefaultLogMessageFormatter()
    {
    }

    public string Format(string format, params object[] args) => string.Format(CultureInfo.InvariantCulture, format, args);

    public string Format(string format, IEnumerable<object> args) => Format(format, args.ToArray());
}

/// <summary>A format and its arguments, put together only when somebody reads the line.</summary>
public abstract class LogMessage
{
    protected readonly ILogMessageFormatter Formatter;

    public LogMessage(ILogMessageFormatter formatter, string format)
    {
        Formatter = formatter;
        Format = format;
    }

    public string Format { get; }

    public abstract string Unformatted();

    public abstract IEnumerable<object> Parameters();
}

internal sealed class FormattedMessage(ILogMessageFormatter formatter, string format, object[] arguments) : LogMessage(formatter, format)
{
    public override string Unformatted() => $"{Format} [{string.Join(", ", arguments)}]";

    public override IEnumerable<object> Parameters() => arguments;

    public override string ToString()
    {
        try
        {
            return Formatter.Format(Format, arguments);
        }
        catch (FormatException)
        {
            // A line with a bad format is better than no line.
            return Unformatted();
        }
    }
}
