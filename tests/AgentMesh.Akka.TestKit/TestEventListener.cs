using Akka.Actor;
using Akka.Event;
using Akka.TestKit.Internal;
using Akka.TestKit.TestEvent;

namespace Akka.TestKit;

/// <summary>The logger of a test kit: asks the event filters before it prints, and shows them dead letters and unhandled messages as warnings.</summary>
public class TestEventListener : DefaultLogger
{
    private readonly List<EventFilterBase> _filters = [];

    protected override bool Receive(object message)
    {
        switch (message)
        {
            case InitializeLogger initialize:
                foreach (Type channel in (Type[])[typeof(Mute), typeof(Unmute), typeof(DeadLetter), typeof(UnhandledMessage)])
                    initialize.LoggingBus.Subscribe(Self, channel);
                Sender.Tell(new LoggerInitialized());
                break;
            case Mute mute:
                _filters.AddRange(mute.Filters);
                break;
            case Unmute unmute:
                foreach (EventFilterBase filter in unmute.Filters)
                    _filters.Remove(filter);
                break;
            case LogEvent logged:
                if (!IsFiltered(logged))
                    Print(logged);
                break;
            case DeadLetter letter:
                IsFiltered(AsWarning(letter, letter));
                break;
            case UnhandledMessage unhandled:
                IsFiltered(AsWarning(unhandled, $"Unhandled message from {unhandled.Sender}: {unhandled.Message}"));
                break;
            default:
                return false;
        }

        return true;
    }

    private static Warning AsWarning(AllDeadLetters letter, object message) =>
        new(letter.Recipient.Path.ToString(), letter.Recipient.GetType(), message);

    private bool IsFiltered(LogEvent logged) => _filters.Exists(filter => filter.Apply(logged));
}
