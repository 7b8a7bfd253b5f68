namespace Simulation.Reach.Loss;

/// <summary>What happens when, in virtual time.</summary>
internal sealed class EventClock
{
    private readonly PriorityQueue<Action, (TimeSpan At, long Order)> _events = new();
    private long _order;

    public TimeSpan Now { get; private set; } = TimeSpan.FromSeconds(1000);

    public long Steps { get; private set; }

    public void At(TimeSpan at, Action act) => _events.Enqueue(act, (at > Now ? at : Now, _order++));

    public void Run(TimeSpan until, Func<bool>? done = null)
    {
        while (done?.Invoke() != true && _events.TryPeek(out _, out (TimeSpan At, long) next) && next.At <= until)
        {
            Now = next.At;
            Steps++;
            _events.Dequeue()();
        }

        if (done?.Invoke() != true)
        {
            Now = until;
        }
    }
}
