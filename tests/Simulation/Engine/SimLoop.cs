using Akka.Dispatch;

namespace Simulation.Engine;

/// <summary>
/// Everything that happens, one thing after the other, on the thread of the test: mailboxes that are ready in an order that the seed decides, then
/// whatever is due next. Time stands still while anything is ready, but for a moment that each step takes.
/// </summary>
internal sealed class SimLoop(int seed)
{
    private readonly List<(SimProcess Owner, IRunnable Work)> _ready = [];
    private readonly PriorityQueue<SimTimer, (long Due, long Order)> _due = new();
    private long _order;
    private ulong _trace = 14695981039346656037;

    public Random Random { get; } = new(seed);

    /// <summary>Since the beginning.</summary>
    public TimeSpan Now { get; private set; }

    public long Steps { get; private set; }

    /// <summary>The same for the same history.</summary>
    public ulong Trace => _trace;

    public void Ready(SimProcess owner, IRunnable work) => _ready.Add((owner, work));

    public SimTimer After(TimeSpan delay, SimProcess? owner, Action act)
    {
        var timer = new SimTimer(owner, act);
        _due.Enqueue(timer, ((Now + (delay > TimeSpan.Zero ? delay : TimeSpan.Zero)).Ticks, _order++));
        return timer;
    }

    /// <summary>What the history is compared by.</summary>
    public void Note(string what)
    {
        foreach (char c in what)
        {
            _trace = (_trace ^ c) * 1099511628211;
        }
    }

    public void RunUntil(TimeSpan end)
    {
        while (Step(end))
        {
        }

        Now = end;
    }

    public bool Chance(double share) => Random.NextDouble() < share;

    public TimeSpan Between(double fromSeconds, double toSeconds) => TimeSpan.FromSeconds(fromSeconds + (Random.NextDouble() * (toSeconds - fromSeconds)));

    private bool Step(TimeSpan end)
    {
        if (_ready.Count > 0)
        {
            int pick = Random.Next(_ready.Count);
            (SimProcess owner, IRunnable work) = _ready[pick];

            // The order of the others stays: a mailbox is in here once.
            _ready.RemoveAt(pick);
            Count();
            if (owner.IsAlive)
            {
                work.Run();
            }

            return true;
        }

        if (!_due.TryPeek(out SimTimer? timer, out (long Due, long Order) at) || at.Due > end.Ticks)
        {
            return false;
        }

        _due.Dequeue();
        Now = TimeSpan.FromTicks(Math.Max(Now.Ticks, at.Due));
        if (timer.IsWanted)
        {
            Count();
            timer.Fire();
        }

        return true;
    }

    private void Count()
    {
        Steps++;
        Now += TimeSpan.FromTicks(Random.Next(1, 500));
        Assert.True(Steps < 5_000_000, "it never becomes quiet");
    }
}

/// <summary>Something that can be killed: what it had to do is never done.</summary>
internal sealed class SimProcess
{
    public bool IsAlive { get; private set; } = true;

    public void Kill() => IsAlive = false;
}

internal sealed class SimTimer(SimProcess? owner, Action act)
{
    private bool _isCancelled;

    public bool IsWanted => !_isCancelled && owner is not { IsAlive: false };

    public void Cancel() => _isCancelled = true;

    public void Fire() => act();
}
