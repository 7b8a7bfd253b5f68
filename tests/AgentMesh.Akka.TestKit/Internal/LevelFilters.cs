using Akka.Event;
using Akka.TestKit.Internal.StringMatcher;

namespace Akka.TestKit.Internal;

public class DebugFilter : EventFilterBase
{
    public DebugFilter(IStringMatcher messageMatcher = null!, IStringMatcher sourceMatcher = null!)
        : base(messageMatcher, sourceMatcher)
    {
    }

    protected override string FilterDescriptiveName => "Debug";

    protected override bool IsMatch(LogEvent evt) => evt is Debug && InternalDoMatch(evt.LogSource, evt.Message);
}

public class InfoFilter : EventFilterBase
{
    public InfoFilter(IStringMatcher messageMatcher = null!, IStringMatcher sourceMatcher = null!)
        : base(messageMatcher, sourceMatcher)
    {
    }

    protected override string FilterDescriptiveName => "Info";

    protected override bool IsMatch(LogEvent evt) => evt is Info && InternalDoMatch(evt.LogSource, evt.Message);
}

public class WarningFilter : EventFilterBase
{
    public WarningFilter(IStringMatcher messageMatcher = null!, IStringMatcher sourceMatcher = null!)
        : base(messageMatcher, sourceMatcher)
    {
    }

    protected override string FilterDescriptiveName => "Warning";

    protected override bool IsMatch(LogEvent evt) => evt is Warning && InternalDoMatch(evt.LogSource, evt.Message);
}

/// <summary>Matches errors; with an exception type, those that it caused.</summary>
public class ErrorFilter : EventFilterBase
{
    private readonly Type? _exceptionType;
    private readonly bool _recurses;

    public ErrorFilter(IStringMatcher messageMatcher = null!, IStringMatcher sourceMatcher = null!)
        : base(messageMatcher, sourceMatcher)
    {
    }

    public ErrorFilter(Type exceptionType, IStringMatcher messageMatcher = null!, IStringMatcher sourceMatcher = null!, bool recurseInnerExceptions = false)
        : base(messageMatcher, sourceMatcher)
    {
        _exceptionType = exceptionType;
        _recurses = recurseInnerExceptions;
    }

    protected override string FilterDescriptiveName => _exceptionType is null ? "Error" : $"{_exceptionType.Name} (error)";

    // The text of a failure may stand in the line of the log or in the exception.
    protected override bool IsMatch(LogEvent evt) => evt is Error
        && (_exceptionType is null ? InternalDoMatch(evt.LogSource, evt.Message) : MatchesCause(evt, evt.Cause));

    private bool MatchesCause(LogEvent evt, Exception? cause)
    {
        if (cause is null)
            return false;
        if (_exceptionType!.IsInstanceOfType(cause) && (InternalDoMatch(evt.LogSource, evt.Message) || InternalDoMatch(evt.LogSource, cause.Message)))
            return true;
        return _recurses && (cause is AggregateException many
            ? many.InnerExceptions.Any(inner => MatchesCause(evt, inner))
            : MatchesCause(evt, cause.InnerException));
    }
}

public class CustomEventFilter : EventFilterBase
{
    private readonly Predicate<LogEvent> _predicate;

    public CustomEventFilter(Predicate<LogEvent> predicate)
        : base(null!, null!) => _predicate = predicate;

    protected override string FilterDescriptiveName => "Custom";

    protected override bool IsMatch(LogEvent evt) => _predicate(evt);
}
