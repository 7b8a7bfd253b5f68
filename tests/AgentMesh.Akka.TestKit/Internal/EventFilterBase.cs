using Akka.Event;
using Akka.TestKit.Internal.StringMatcher;

namespace Akka.TestKit.Internal;

public delegate void EventMatched(EventFilterBase eventFilter, LogEvent logEvent);

/// <summary>A filter of log events by message and source.</summary>
public abstract class EventFilterBase : IEventFilter
{
    private readonly IStringMatcher _message;
    private readonly IStringMatcher _source;

    /// <summary>Null matches anything.</summary>
    protected EventFilterBase(IStringMatcher messageMatcher, IStringMatcher sourceMatcher)
    {
        _message = messageMatcher ?? MatchesAll.Instance;
        _source = sourceMatcher ?? MatchesAll.Instance;
    }

    public event EventMatched? EventMatched;

    protected abstract string FilterDescriptiveName { get; }

    public bool Apply(LogEvent logEvent)
    {
        if (!IsMatch(logEvent))
            return false;
        OnEventMatched(logEvent);
        return true;
    }

    public override string ToString() => $"{FilterDescriptiveName} when message {_message} and source {_source}";

    protected abstract bool IsMatch(LogEvent evt);

    protected virtual void OnEventMatched(LogEvent logEvent) => EventMatched?.Invoke(this, logEvent);

    protected bool InternalDoMatch(string src, object msg) => _source.IsMatch(src ?? "") && _message.IsMatch(msg?.ToString() ?? "null");
}
