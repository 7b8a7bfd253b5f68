namespace Akka.Persistence.Journal;

/// <summary>Turns events into what is stored.</summary>
public interface IWriteEventAdapter
{
    /// <summary>A name for the stored form, given back to the read side; empty where it is not needed.</summary>
    string Manifest(object evt);

    object ToJournal(object evt);
}

/// <summary>Turns what is stored into events: none, one or several.</summary>
public interface IReadEventAdapter
{
    IEventSequence FromJournal(object evt, string manifest);
}

public interface IEventAdapter : IWriteEventAdapter, IReadEventAdapter;

public interface IEventSequence
{
    IEnumerable<object> Events { get; }
}

public static class EventSequence
{
    public static IEventSequence Empty = new EventSequence<object>([]);

    public static IEventSequence Single(object e) => new EventSequence<object>([e]);

    public static IEventSequence Create(params object[] events) => new EventSequence<object>(events);

    public static IEventSequence Create(IEnumerable<object> events) => new EventSequence<object>(events);
}

public class EventSequence<T>(IEnumerable<object> events) : IEventSequence
{
    public IEnumerable<object> Events { get; } = events;
}

/// <summary>Changes nothing.</summary>
public sealed class IdentityEventAdapter : IEventAdapter
{
    private IdentityEventAdapter()
    {
    }

    public static IdentityEventAdapter Instance { get; } = new();

    public string Manifest(object evt) => string.Empty;

    public object ToJournal(object evt) => evt;

    public IEventSequence FromJournal(object evt, string manifest) => EventSequence.Single(evt);
}
