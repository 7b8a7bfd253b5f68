using Akka.Event;

namespace Akka.TestKit;

public interface IEventFilter
{
    /// <returns>True when the event matches and is not to be logged.</returns>
    bool Apply(LogEvent logEvent);
}

/// <summary>Mutes until it is disposed or told to stop.</summary>
public interface IUnmutableFilter : IDisposable
{
    void Unmute();
}
