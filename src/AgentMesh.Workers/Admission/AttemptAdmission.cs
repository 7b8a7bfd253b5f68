using AgentMesh.Errors;
using AgentMesh.Mesh.Turns;
using AgentMesh.Workers.Attempts;

namespace AgentMesh.Workers.Admission;

/// <summary>What a device has, and has left.</summary>
/// <param name="Waiting">Attempts in line.</param>
public sealed record AdmissionState(ResourceAmounts Capacity, ResourceAmounts Free, int Running, int Waiting);

/// <summary>
/// Decides which attempts begin on this device: it alone knows what is in use. Programs that were taken over hold what they asked for, so that a restart gives
/// nothing away twice. Thread-safe.
/// </summary>
public sealed class AttemptAdmission(AdmissionSettings settings, string deviceName, TimeProvider time)
{
    private const string Places = "attempts at the same time";

    private readonly Lock _gate = new();
    private readonly TurnQueue<AttemptKey> _turns = new(settings.Capacity, settings.RunningMax, settings.Rules);
    private readonly Dictionary<AttemptKey, TaskCompletionSource> _signals = [];
    private readonly long _start = time.GetTimestamp();

    public AdmissionState State
    {
        get
        {
            lock (_gate)
            {
                return new AdmissionState(_turns.Capacity, _turns.Free, _turns.Holding, _turns.Waiting);
            }
        }
    }

    /// <summary>Puts an attempt in line.</summary>
    /// <returns>Completes when its turn begins, never with an error.</returns>
    /// <exception cref="MeshException">AM0630: it asks for more than the device has. AM0609: too many are in line.</exception>
    public Task Enter(AttemptOrder order)
    {
        Check(order.Needs.Resources);
        lock (_gate)
        {
            if (_turns.Waiting + _turns.Holding >= settings.RunningMax + settings.QueuedMax)
            {
                throw new MeshException(
                    WorkerErrors.Busy, $"{deviceName} has {_turns.Waiting + _turns.Holding} attempts running and waiting already", "try again later, or raise agentmesh.jobs.queued-max there");
            }

            var signal = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _signals[order.Key] = signal;
            _turns.Add(RequestOf(order), Now);
            Proceed();
            return signal.Task;
        }
    }

    /// <summary>It runs already, whether or not there is room for it.</summary>
    public void TakeOver(AttemptOrder order)
    {
        lock (_gate)
        {
            _turns.Take(RequestOf(order));
        }
    }

    /// <summary>It is over, or does not want its turn any more.</summary>
    public void Leave(AttemptKey key)
    {
        lock (_gate)
        {
            _signals.Remove(key);
            _turns.Remove(key);
            Proceed();
        }
    }

    /// <summary>In words that follow "waiting for"; null for one that has its turn.</summary>
    public string? WhyWaits(AttemptKey key)
    {
        lock (_gate)
        {
            // Whoever has grown old enough since the last change goes on with the next one.
            return _turns.Explain(key, Now, deviceName, Places);
        }
    }

    private TimeSpan Now => time.GetElapsedTime(_start);

    private void Check(ResourceAmounts wanted)
    {
        string[] lacking = [.. wanted.LackingIn(settings.Capacity)];
        if (lacking.Length > 0)
        {
            throw new MeshException(WorkerErrors.TooFewResources, $"{deviceName} {ImpossibleNeeds.Of(wanted, settings.Capacity)}", ImpossibleNeeds.NextStep);
        }
    }

    private void Proceed()
    {
        foreach (AttemptKey begun in _turns.Next(Now))
        {
            if (_signals.Remove(begun, out TaskCompletionSource? signal))
            {
                signal.TrySetResult();
            }
        }
    }

    /// <summary>A group has its share among those of all devices; jobs without one share by the device that they come from.</summary>
    private static TurnRequest<AttemptKey> RequestOf(AttemptOrder order)
    {
        string home = order.Key.Job.Home.ToString();
        return new TurnRequest<AttemptKey>(
            order.Key,
            order.Needs.Group is { } group ? $"{home}/{group}" : home,
            home,
            order.Needs.Priority,
            order.Needs.Resources,
            $"job {order.Key.Job.Short} of {order.Caller.DeviceName}");
    }
}
