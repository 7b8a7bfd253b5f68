using Akka.Actor;

namespace Akka.Event;

/// <summary>Logs dead letters, up to <c>akka.log-dead-letters</c> of them, then is silent for <c>akka.log-dead-letters-suspend-duration</c>.</summary>
public class DeadLetterListener : ActorBase
{
    private readonly EventStream _stream = Context.System.EventStream;
    private readonly int _max = Context.System.Settings.LogDeadLetters;
    private readonly TimeSpan _suspend = Context.System.Settings.LogDeadLettersSuspendDuration;
    private int _count;
    private bool _silent;

    protected override void PreStart()
    {
        _stream.Subscribe(Self, typeof(DeadLetter));
        _stream.Subscribe(Self, typeof(Dropped));
        _stream.Subscribe(Self, typeof(UnhandledMessage));
    }

    protected override void PreRestart(Exception reason, object message)
    {
    }

    protected override void PostRestart(Exception reason)
    {
    }

    protected override void PostStop() => _stream.Unsubscribe(Self);

    protected override bool Receive(object message)
    {
        switch (message)
        {
            case Resumed:
                _silent = false;
                _count = 0;
                return true;
            case UnhandledMessage unhandled when !Context.System.Settings.DebugUnhandledMessage:
                _ = unhandled;
                return true;
            case AllDeadLetters letter:
                if (!_silent && letter.Message is not IDeadLetterSuppression)
                    Report(letter);
                return true;
            default:
                return false;
        }
    }

    private void Report(AllDeadLetters letter)
    {
        _count++;
        string what = letter switch
        {
            Dropped dropped => $"was dropped: {dropped.Reason}",
            UnhandledMessage => "was not handled",
            _ => "was not delivered",
        };
        bool last = _max != int.MaxValue && _count >= _max;
        string note = last ? $" {_count} dead letters so far; no more are logged for {_suspend}." : $" {_count} dead letters so far.";
        Type source = letter.Recipient?.GetType() ?? GetType();
        _stream.Publish(new Info(letter.Recipient?.Path.ToString() ?? string.Empty, source, $"Message [{letter.Message.GetType().Name}] from {letter.Sender} to {letter.Recipient} {what}.{note} See akka.log-dead-letters."));
        if (!last)
            return;
        _silent = true;
        if (_suspend > TimeSpan.Zero && _suspend != Timeout.InfiniteTimeSpan)
            Context.System.Scheduler.ScheduleTellOnce(_suspend, Self, Resumed.Instance, Self);
    }

    private sealed class Resumed
    {
        public static readonly Resumed Instance = new();
    }
}
