using Akka.Dispatch;

namespace Simulation.Engine;

/// <summary>
/// Everything that happens, one thing after the other: mailboxes that are ready in an order that the seed decides, then whatever is due next. Time
/// stands still while anything is ready, but for a moment that each step takes.
/// </summary>
internal sealed class SimLoop(int seed)
{
    private readonly List<(SimProcess Owner, IRunnable Work)> _ready = [];
    private readonly PriorityQueue<SimTimer, (long Due, long Order)> _due = new();
    private long _order;
    private ulong _trace = 14695981039346656037;
    private Exception? _broken;

    public Random Random { get; } = new(seed);

    /// <summary>Since the beginning.</summary>
    public TimeSpan Now { get; private set; }

    public long Steps { get; private set; }

    /// <summary>After so many, something goes round in a circle.</summary>
    public long StepsMax { get; set; } = 20_000_000;

    /// <summary>What a step takes at most, in ticks of 100 ns.</summary>
    public int StepTicksMax { get; set; } = 499;

    /// <summary>The same for the same history.</summary>
    public ulong Trace => _trace;

    /// <summary>Where what is noted goes as well, for a person who looks for the cause of a failure.</summary>
    public Action<string>? Told { get; init; }

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

        Told?.Invoke($"{Now.TotalSeconds:0.000} {what}");
    }

    /// <summary>A rule that was broken ends the run, also where an actor's supervisor would take an exception for its own.</summary>
    public void Require(bool holds, Func<string> what)
    {
        if (!holds)
        {
            _broken ??= new RuleBrokenException($"{Now.TotalSeconds:0.000} s: {what()}");
        }
    }

    /// <summary>On the thread of the caller: for worlds in which nothing is asynchronous but actors.</summary>
    public void RunUntil(TimeSpan end)
    {
        while (Step(end))
        {
        }

        ThrowIfBroken();
        Now = end;
    }

    /// <summary>
    /// On the thread pool, which has one thread in a process that was started for it: what asynchronous code leaves there is done before the next step.
    /// </summary>
    public void RunOnPool(TimeSpan end)
    {
        using var pass = new PoolPass(this, end);
        pass.Wait();
        ThrowIfBroken();
        Now = end;
    }

    public bool Chance(double share) => Random.NextDouble() < share;

    public TimeSpan Between(double fromSeconds, double toSeconds) => TimeSpan.FromSeconds(fromSeconds + (Random.NextDouble() * (toSeconds - fromSeconds)));

    public bool Step(TimeSpan end)
    {
        if (_broken is not null)
        {
            return false;
        }

        if (_ready.Count > 0)
        {
            int pick = Random.Next(_ready.Count);
            (SimProcess owner, IRunnable work) = _ready[pick];

            // The order of the others stays: a mailbox is in here once.
            _ready.RemoveAt(pick);
            Count();
            if (owner.IsAlive && !owner.Holds(() => Ready(owner, work)))
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
        if (timer.IsWanted && timer.Owner?.Holds(timer.Fire) != true)
        {
            Count();
            timer.Fire();
        }

        return true;
    }

    private void Count()
    {
        Steps++;
        Now += TimeSpan.FromTicks(Random.Next(1, StepTicksMax + 1));
        Require(Steps < StepsMax, () => "it never becomes quiet");
    }

    private void ThrowIfBroken()
    {
        if (_broken is not null)
        {
            throw _broken;
        }
    }

    private sealed class PoolPass : IThreadPoolWorkItem, IDisposable
    {
        /// <summary>For one step, with all that waits on the pool before the next.</summary>
        private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

        private readonly SimLoop _loop;
        private readonly TimeSpan _end;
        private readonly ManualResetEventSlim _done = new();
        private Exception? _error;
        private long _passes;

        public PoolPass(SimLoop loop, TimeSpan end)
        {
            _loop = loop;
            _end = end;
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }

        public void Execute()
        {
            try
            {
                while (ThreadPool.PendingWorkItemCount == 0)
                {
                    _passes++;
                    if (!_loop.Step(_end))
                    {
                        _done.Set();
                        return;
                    }
                }

                // Behind all that waits.
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            }
            catch (Exception error)
            {
                _error = error;
                _done.Set();
            }
        }

        public void Wait()
        {
            for (long before = -1; !_done.Wait(Patience); before = _passes)
            {
                if (_passes == before)
                {
                    throw new TimeoutException($"at {_loop.Now} something blocks the one thread, or never ends");
                }
            }

            if (_error is not null)
            {
                throw new InvalidOperationException($"{_loop.Now.TotalSeconds:0.000} s: {_error.Message}", _error);
            }
        }

        public void Dispose() => _done.Dispose();
    }
}

/// <summary>An invariant does not hold.</summary>
internal sealed class RuleBrokenException(string message) : Exception(message);

/// <summary>Something that can be killed: what it had to do is never done; or stopped: it is done when it goes on.</summary>
internal sealed class SimProcess(SimLoop loop)
{
    private List<Action>? _held;

    public bool IsAlive { get; private set; } = true;

    public bool IsStopped => _held is not null;

    public void Kill() => IsAlive = false;

    /// <summary>As SIGSTOP.</summary>
    public void Stop() => _held ??= [];

    /// <summary>As SIGCONT: everything that has become due is done at once.</summary>
    public void Continue()
    {
        List<Action> held = _held ?? [];
        _held = null;
        foreach (Action act in held)
        {
            loop.After(TimeSpan.Zero, this, act);
        }
    }

    /// <returns>True when it is kept for later.</returns>
    public bool Holds(Action act)
    {
        _held?.Add(act);
        return _held is not null;
    }
}

internal sealed class SimTimer(SimProcess? owner, Action act)
{
    private bool _isCancelled;

    public SimProcess? Owner => owner;

    public bool IsWanted => !_isCancelled && owner is not { IsAlive: false };

    public void Cancel() => _isCancelled = true;

    public void Fire()
    {
        if (IsWanted)
        {
            act();
        }
    }
}
