using AgentMesh.Mesh;
using AgentMesh.Mesh.Jobs;
using AgentMesh.Protocol.Identity;
using AgentMesh.Workers.Supervision;
using Simulation.Checks;
using Simulation.Engine;

namespace Simulation.World;

/// <summary>
/// What runs on a device, as the messages of <see cref="RunAttempt"/> and the others promise it: a model, because real processes have no place in
/// virtual time. When the device is killed, what ran there is gone or goes on, as with a shim.
/// </summary>
/// <param name="lifeOf">Which life of its node the device has now.</param>
/// <param name="tell">Sends to the home of a job, when that is possible now.</param>
internal sealed class SimAttempts(SimLoop loop, History history, Func<long> lifeOf, Action<JobId, object> tell)
{
    /// <summary>A command that always succeeds, and soon.</summary>
    public static readonly JobCommand Probe = JobCommand.Handler("probe");

    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(0.5);

    private readonly Dictionary<(string Job, int Attempt), Running> _attempts = [];
    private readonly Dictionary<JobId, List<Running>> _ofJob = [];
    private readonly HashSet<(string Job, int Attempt)> _past = [];
    private readonly Dictionary<HomeId, EndsToTell<(JobId Job, int Attempt)>> _ends = [];
    private SimProcess _process = new(loop);
    private bool _isTicking;

    /// <summary>A program takes longer than a moment with this chance.</summary>
    public double Long { get; init; } = 0.2;

    /// <summary>And then up to so many seconds.</summary>
    public double Longest { get; init; } = 60;

    /// <summary>Everything that runs is gone, and nobody learns how it would have ended.</summary>
    public void Kill()
    {
        _process.Kill();
        _process = new SimProcess(loop);
        foreach (((string job, int attempt), Running running) in _attempts)
        {
            if (running.Result is null)
            {
                history.Gone(job, attempt);
            }
        }

        _attempts.Clear();
        _ofJob.Clear();
        _ends.Clear();
        _isTicking = false;
    }

    public void Receive(object message)
    {
        switch (message)
        {
            case RunAttempt order:
                OnRun(order);
                break;
            case CancelAttempt cancel when Find(cancel.JobId, cancel.Attempt) is { } running:
                if (running.Result is null)
                {
                    End(running, new AttemptResult(AttemptOutcome.Cancelled));
                }
                else
                {
                    TellEnd(running);
                }

                break;
            case CancelAttempt cancel:
                tell(cancel.JobId, new AttemptUnknown(cancel.JobId, cancel.Attempt, lifeOf()));
                break;
            case AttemptEndedAck ack when Find(ack.JobId, ack.Attempt) is { } running:
                Forget(running);
                TellEnds(ack.JobId.Home);
                break;
        }
    }

    private void OnRun(RunAttempt order)
    {
        if (Find(order.JobId, order.Attempt) is { } known)
        {
            Answer(known);
            return;
        }

        Running[] others = [.. _ofJob.GetValueOrDefault(order.JobId, [])];
        foreach (Running older in others.Where(each => each.Order.Attempt < order.Attempt))
        {
            Forget(older);
        }

        if (order.Incarnation != lifeOf() || _past.Contains((order.JobId.ToString(), order.Attempt)) || others.Any(each => each.Order.Attempt > order.Attempt))
        {
            tell(order.JobId, new AttemptUnknown(order.JobId, order.Attempt, lifeOf()));
            return;
        }

        var running = new Running(order);
        _attempts.Add((order.JobId.ToString(), order.Attempt), running);
        if (!_ofJob.TryGetValue(order.JobId, out List<Running>? ofJob))
        {
            _ofJob.Add(order.JobId, ofJob = []);
        }

        ofJob.Add(running);
        history.Began(order.JobId.ToString(), order.Attempt);
        bool isProbe = order.Command == Probe;
        AttemptResult result = isProbe || loop.Chance(0.8)
            ? new AttemptResult(AttemptOutcome.Succeeded, 0, $"{order.JobId}#{order.Attempt}")
            : new AttemptResult(AttemptOutcome.Failed, Problem: new Problem("AM0602", "by chance"));
        loop.After(loop.Between(0.01, !isProbe && loop.Chance(Long) ? Longest : 3), _process, () =>
        {
            if (IsHere(running) && running.Result is null)
            {
                End(running, result);
            }
        });
        loop.After(order.HeartbeatEvery, _process, () => Beat(running));
        Answer(running);
    }

    private void Beat(Running running)
    {
        if (IsHere(running) && (running.Result is null || _ends[running.Order.JobId.Home].IsUntold((running.Order.JobId, running.Order.Attempt))))
        {
            tell(running.Order.JobId, new AttemptHeartbeat(running.Order.JobId, running.Order.Attempt, 0, 0));
            loop.After(running.Order.HeartbeatEvery, _process, () => Beat(running));
        }
    }

    private void End(Running running, AttemptResult result)
    {
        running.Result = result;
        history.Ended(running.Order.JobId.ToString(), running.Order.Attempt, result);
        if (!_ends.TryGetValue(running.Order.JobId.Home, out EndsToTell<(JobId Job, int Attempt)>? ends))
        {
            _ends.Add(running.Order.JobId.Home, ends = new EndsToTell<(JobId Job, int Attempt)>(loop.Random.NextDouble));
        }

        ends.Add((running.Order.JobId, running.Order.Attempt));
        TellEnds(running.Order.JobId.Home);
        if (!_isTicking)
        {
            _isTicking = true;
            loop.After(Tick, _process, OnTick);
        }
    }

    private void OnTick()
    {
        _isTicking = _ends.Values.Any(ends => !ends.IsEmpty);
        if (_isTicking)
        {
            foreach (HomeId home in _ends.Keys)
            {
                TellEnds(home);
            }

            loop.After(Tick, _process, OnTick);
        }
    }

    /// <summary>As many as the product's rules have under way.</summary>
    private void TellEnds(HomeId home)
    {
        foreach ((JobId job, int attempt) in _ends.GetValueOrDefault(home)?.Next(loop.Now) ?? [])
        {
            TellEnd(Find(job, attempt)!);
        }
    }

    private void Answer(Running running)
    {
        if (running.Result is null)
        {
            tell(running.Order.JobId, new AttemptStarted(running.Order.JobId, running.Order.Attempt, lifeOf()));
        }
        else
        {
            TellEnd(running);
        }
    }

    private void TellEnd(Running running) => tell(running.Order.JobId, new AttemptEnded(running.Order.JobId, running.Order.Attempt, running.Result!));

    private void Forget(Running running)
    {
        _attempts.Remove((running.Order.JobId.ToString(), running.Order.Attempt));
        _ofJob.GetValueOrDefault(running.Order.JobId)?.Remove(running);
        _past.Add((running.Order.JobId.ToString(), running.Order.Attempt));
        _ends.GetValueOrDefault(running.Order.JobId.Home)?.Remove((running.Order.JobId, running.Order.Attempt));
        if (running.Result is null)
        {
            history.Gone(running.Order.JobId.ToString(), running.Order.Attempt);
        }
    }

    private bool IsHere(Running running) => Find(running.Order.JobId, running.Order.Attempt) == running;

    private Running? Find(JobId job, int attempt) => _attempts.GetValueOrDefault((job.ToString(), attempt));

    private sealed class Running(RunAttempt order)
    {
        public RunAttempt Order => order;

        public AttemptResult? Result { get; set; }
    }
}
