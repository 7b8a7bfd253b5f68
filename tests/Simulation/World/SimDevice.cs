using AgentMesh.Mesh.Jobs;
using AgentMesh.Protocol.Identity;
using Simulation.Checks;
using Simulation.Engine;

namespace Simulation.World;

/// <summary>
/// A device that runs attempts, as the messages of <see cref="RunAttempt"/> and the others promise it: a model, because real processes have no place in
/// virtual time. When it is killed, what ran there is gone or goes on, as with a shim.
/// </summary>
internal sealed class SimDevice(SimLoop loop, SimNetwork network, SimHome home, DeviceId id, History history)
{
    private static readonly TimeSpan RepeatEndEvery = TimeSpan.FromSeconds(1);

    private readonly Dictionary<(string Job, int Attempt), Running> _attempts = [];
    private SimProcess _process = new();
    private long _life = loop.Random.Next(1, 1_000_000);

    public DeviceId Id => id;

    public bool IsUp { get; private set; } = true;

    /// <summary>The life that the home's link has heard of; null while the link is down.</summary>
    public long? LifeSeen { get; private set; }

    

    /// <summary>The link between home and device is looked at again and again.</summary>
    public void Link()
    {
        bool isOpen = IsUp && home.IsUp && network.IsOpen(id, home.Id) && network.IsOpen(home.Id, id);
        LifeSeen = isOpen ? _life : null;
        loop.After(loop.Between(0.5, 3), null, Link);
    }

    /// <param name="keepsPrograms">What runs outlives the node; ends are told when it is back.</param>
    public void Kill(bool keepsPrograms)
    {
        IsUp = false;
        if (keepsPrograms)
        {
            return;
        }

        _process.Kill();
        foreach (((string job, int attempt), Running running) in _attempts)
        {
            if (running.Result is null)
            {
                history.Gone(job, attempt);
            }
        }

        _attempts.Clear();
    }

    public void Start()
    {
        IsUp = true;
        _life++;
        _process = _process.IsAlive ? _process : new SimProcess();
    }

    public void Receive(object message)
    {
        if (!IsUp)
        {
            return;
        }

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
                Tell(new AttemptUnknown(cancel.JobId, cancel.Attempt, _life));
                break;
            case AttemptEndedAck ack when Find(ack.JobId, ack.Attempt) is { } running:
                Forget(running);
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

        Running[] others = [.. _attempts.Values.Where(each => each.Order.JobId == order.JobId)];
        foreach (Running older in others.Where(each => each.Order.Attempt < order.Attempt))
        {
            Forget(older);
        }

        if (order.Incarnation != _life || others.Any(each => each.Order.Attempt > order.Attempt))
        {
            Tell(new AttemptUnknown(order.JobId, order.Attempt, _life));
            return;
        }

        var running = new Running(order);
        _attempts.Add((order.JobId.ToString(), order.Attempt), running);
        history.Began(order.JobId.ToString(), order.Attempt);
        AttemptResult result = loop.Chance(0.8)
            ? new AttemptResult(AttemptOutcome.Succeeded, 0, $"{order.JobId}#{order.Attempt}")
            : new AttemptResult(AttemptOutcome.Failed, Problem: new Problem("AM0602", "by chance"));
        loop.After(loop.Between(0.01, loop.Chance(0.2) ? 60 : 3), _process, () =>
        {
            if (_attempts.ContainsValue(running) && running.Result is null)
            {
                End(running, result);
            }
        });
        loop.After(order.HeartbeatEvery, _process, () => Beat(running));
        Answer(running);
    }

    private void Beat(Running running)
    {
        if (_attempts.ContainsValue(running) && running.Result is null)
        {
            Tell(new AttemptHeartbeat(running.Order.JobId, running.Order.Attempt, 0, 0));
            loop.After(running.Order.HeartbeatEvery, _process, () => Beat(running));
        }
    }

    private void End(Running running, AttemptResult result)
    {
        running.Result = result;
        history.Ended(running.Order.JobId.ToString(), running.Order.Attempt, result);
        RepeatEnd(running);
    }

    private void RepeatEnd(Running running)
    {
        if (_attempts.ContainsValue(running))
        {
            TellEnd(running);
            loop.After(RepeatEndEvery, _process, () => RepeatEnd(running));
        }
    }

    private void Answer(Running running)
    {
        if (running.Result is null)
        {
            Tell(new AttemptStarted(running.Order.JobId, running.Order.Attempt, _life));
        }
        else
        {
            TellEnd(running);
        }
    }

    private void TellEnd(Running running) => Tell(new AttemptEnded(running.Order.JobId, running.Order.Attempt, running.Result!));

    private void Tell(object message)
    {
        if (IsUp)
        {
            network.Send(id, home.Id, () => home.Deliver(id, message));
        }
    }

    private void Forget(Running running)
    {
        _attempts.Remove((running.Order.JobId.ToString(), running.Order.Attempt));
        if (running.Result is null)
        {
            history.Gone(running.Order.JobId.ToString(), running.Order.Attempt);
        }
    }

    private Running? Find(AgentMesh.Mesh.JobId job, int attempt) => _attempts.GetValueOrDefault((job.ToString(), attempt));

    private sealed class Running(RunAttempt order)
    {
        public RunAttempt Order => order;

        public AttemptResult? Result { get; set; }
    }
}
