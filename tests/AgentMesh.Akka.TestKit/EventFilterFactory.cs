using System.Text.RegularExpressions;
using Akka.Actor;
using Akka.Event;
using Akka.TestKit.Internal;
using Akka.TestKit.Internal.StringMatcher;

namespace Akka.TestKit;

/// <summary>Makes filters of log events. Only what <c>akka.loglevel</c> lets through can be matched.</summary>
/// <remarks>A message is compared with <c>message</c> (equal), <c>start</c> or <c>contains</c>, whichever is given first; a source is a text or an actor path, with or without its system.</remarks>
public class EventFilterFactory
{
    private readonly TestKitBase _testkit;
    private readonly ActorSystem _system;
    private readonly IReadOnlyList<EventFilterBase> _filters;

    public EventFilterFactory(TestKitBase testkit)
        : this(testkit, testkit.Sys)
    {
    }

    public EventFilterFactory(TestKitBase testkit, ActorSystem system)
        : this(testkit, system, [])
    {
    }

    /// <param name="filters">An event may match these instead of the one that is made.</param>
    public EventFilterFactory(TestKitBase testkit, ActorSystem actorSystem, IReadOnlyList<EventFilterBase> filters)
    {
        _testkit = testkit;
        _system = actorSystem;
        _filters = filters;
    }

    public IEventFilterApplier Exception<TException>(Regex pattern, string source = null!)
        where TException : Exception => Exception(typeof(TException), pattern, source);

    public IEventFilterApplier Exception<TException>(string message = null!, string start = null!, string contains = null!, string source = null!)
        where TException : Exception => Exception(typeof(TException), message, start, contains, source);

    public IEventFilterApplier Exception(Type exceptionType, Regex pattern, string source = null!, bool checkInnerExceptions = false) =>
        Apply(new ErrorFilter(exceptionType, new RegexMatcher(pattern), Source(source), checkInnerExceptions));

    public IEventFilterApplier Exception(Type exceptionType, string message = null!, string start = null!, string contains = null!, string source = null!, bool checkInnerExceptions = false) =>
        Apply(new ErrorFilter(exceptionType, CreateMessageMatcher(message, start, contains), Source(source), checkInnerExceptions));

    public IEventFilterApplier Error(string message = null!, string start = null!, string contains = null!, string source = null!) =>
        Apply(new ErrorFilter(CreateMessageMatcher(message, start, contains), Source(source)));

    public IEventFilterApplier Error(Regex pattern, string source = null!) => Apply(new ErrorFilter(new RegexMatcher(pattern), Source(source)));

    public IEventFilterApplier Warning(string message = null!, string start = null!, string contains = null!, string source = null!) =>
        Apply(new WarningFilter(CreateMessageMatcher(message, start, contains), Source(source)));

    public IEventFilterApplier Warning(Regex pattern, string source = null!) => Apply(new WarningFilter(new RegexMatcher(pattern), Source(source)));

    public IEventFilterApplier Info(string message = null!, string start = null!, string contains = null!, string source = null!) =>
        Apply(new InfoFilter(CreateMessageMatcher(message, start, contains), Source(source)));

    public IEventFilterApplier Info(Regex pattern, string source = null!) => Apply(new InfoFilter(new RegexMatcher(pattern), Source(source)));

    public IEventFilterApplier Debug(string message = null!, string start = null!, string contains = null!, string source = null!) =>
        Apply(new DebugFilter(CreateMessageMatcher(message, start, contains), Source(source)));

    public IEventFilterApplier Debug(Regex pattern, string source = null!) => Apply(new DebugFilter(new RegexMatcher(pattern), Source(source)));

    public IEventFilterApplier ForLogLevel(LogLevel logLevel, string message = null!, string start = null!, string contains = null!, string source = null!) =>
        Apply(OfLevel(logLevel, CreateMessageMatcher(message, start, contains), Source(source)));

    public IEventFilterApplier ForLogLevel(LogLevel logLevel, Regex pattern, string source = null!) =>
        Apply(OfLevel(logLevel, new RegexMatcher(pattern), Source(source)));

    public IEventFilterApplier DeadLetter() => Apply(new DeadLettersFilter(null!, null!));

    public IEventFilterApplier DeadLetter<TMessage>(string source = null!) => DeadLetter(typeof(TMessage), source);

    public IEventFilterApplier DeadLetter<TMessage>(Func<TMessage, bool> isMatch, string source = null!) =>
        Apply(new DeadLettersFilter(null!, Source(source), letter => letter.Message is TMessage message && isMatch(message)));

    public IEventFilterApplier DeadLetter(Type type, string source = null!) => DeadLetter(type, static _ => true, source);

    public IEventFilterApplier DeadLetter(Type type, Func<object, bool> isMatch, string source = null!) =>
        Apply(new DeadLettersFilter(null!, Source(source), letter => type.IsInstanceOfType(letter.Message) && isMatch(letter.Message)));

    public IEventFilterApplier Custom(Predicate<LogEvent> predicate) => Apply(new CustomEventFilter(predicate));

    public IEventFilterApplier Custom<TLogEvent>(Predicate<TLogEvent> predicate)
        where TLogEvent : LogEvent => Apply(new CustomEventFilter(logged => logged is TLogEvent one && predicate(one)));

    protected static IStringMatcher CreateMessageMatcher(string message, string start, string contains) => (message, start, contains) switch
    {
        ({ } text, _, _) => new EqualsString(text),
        (_, { } text, _) => new StartsWithString(text),
        (_, _, { } text) => new ContainsString(text),
        _ => MatchesAll.Instance,
    };

    protected IEventFilterApplier CreateApplier(EventFilterBase filter, ActorSystem system) =>
        new InternalEventFilterApplier(_testkit, system, [.. _filters, filter]);

    private static EventFilterBase OfLevel(LogLevel level, IStringMatcher message, IStringMatcher source) => level switch
    {
        LogLevel.DebugLevel => new DebugFilter(message, source),
        LogLevel.InfoLevel => new InfoFilter(message, source),
        LogLevel.WarningLevel => new WarningFilter(message, source),
        LogLevel.ErrorLevel => new ErrorFilter(message, source),
        _ => throw new ArgumentOutOfRangeException(nameof(level)),
    };

    private static IStringMatcher Source(string? source) => source is null ? MatchesAll.Instance : new EqualsStringAndPathMatcher(source);

    private IEventFilterApplier Apply(EventFilterBase filter) => CreateApplier(filter, _system);
}
